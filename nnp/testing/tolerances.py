"""The one table of tolerances, with the reason for each."""

# Two float64 engines sum a few hundred terms in different order: some 1e-14 of the largest term.
ENERGY_RTOL_FLOAT64 = 1e-12
# Forces are differences of such terms; relative to the largest force.
FORCE_RTOL_FLOAT64 = 1e-10
# float32 arithmetic has 6e-8 per operation and angular functions lose three digits to
# cancellation in 1 + λ cos θ; relative to the root-mean-square force.
FORCE_RTOL_FLOAT32 = 5e-5
# eV per atom, from the same arithmetic over energies of a few eV.
ENERGY_PER_ATOM_FLOAT32 = 1e-6
# Central differences in float64 with four points and the step h: truncation is h⁴/30 of the fifth
# derivative, far below 1e-12 eV/Å; rounding is 1e-16 |E| / h, some 1e-10 for 10 eV. The cosine
# and p1 have a jump in their second derivative at their ends, which costs up to h times that
# jump when a distance happens to lie within h of one.
DIFFERENCE_STEP = 2e-5
DIFFERENCE_RTOL = 2e-7
