"""Analytic potentials that a network can learn from: any amount of data, with known answers.

`stillinger_weber`, `lennard_jones` and `vashishta` hold parameters and formulas in plain numpy,
over the sums of `sums`; `ase` wraps them as calculators, which `nnp.openmm.create_calculator_force`
takes to OpenMM.
"""
