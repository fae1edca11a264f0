"""Analytic potentials to learn from: any amount of data, with known answers.

`stillinger_weber`, `lennard_jones` and `vashishta` hold parameters and formulas in plain numpy,
using the sums of `sums`. `ase` wraps them as calculators, and
`nnp.openmm.create_calculator_force` runs these in OpenMM.
"""
