"""Analytic potentials that a network can learn from: any amount of data, with known answers.

`stillinger_weber` holds parameters and formulas in plain numpy; `ase` wraps them as a calculator,
and `openmm` builds the same potential from OpenMM's custom forces. The host programs are imported
only by the file that is named after them.
"""
