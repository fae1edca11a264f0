"""One engine against the reference engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnp.potential import Potential
from nnp.structure import Structure
from nnp.testing.tolerances import (
    ENERGY_PER_ATOM_FLOAT32,
    ENERGY_RTOL_FLOAT64,
    FORCE_RTOL_FLOAT32,
    FORCE_RTOL_FLOAT64,
)


def assert_engines_agree(
    potential: Potential, structure: Structure, engine: str, dtype: str = "float64", **options: Any
) -> None:
    """An engine gives the reference engine's answer within the table's tolerances.

    Raises:
        AssertionError: energies, forces, stress, functions or extrapolations differ.
    """
    stress = bool(structure.pbc.all())
    wanted = potential.evaluate(structure, "reference", stress=stress)
    got = potential.evaluate(structure, engine, stress=stress, dtype=dtype, **options)
    assert wanted.forces is not None
    if dtype == "float64":
        largest = max(float(np.abs(wanted.forces).max()), 1e-2)
        energy_atol = ENERGY_RTOL_FLOAT64 * max(float(np.abs(wanted.energies).max()), 1.0)
        force_atol = FORCE_RTOL_FLOAT64 * largest
    else:
        rms = max(float(np.sqrt(np.mean(wanted.forces**2))), 1e-2)
        energy_atol, force_atol = ENERGY_PER_ATOM_FLOAT32, FORCE_RTOL_FLOAT32 * rms
    np.testing.assert_allclose(got.energies, wanted.energies, rtol=0, atol=energy_atol)
    np.testing.assert_allclose(got.energy, wanted.energy, rtol=0, atol=energy_atol * len(structure))
    assert got.forces is not None
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=0, atol=force_atol)
    if wanted.stress is not None:
        assert got.stress is not None
        # the virial sums force times distance over the pairs of a cell
        atol = force_atol * potential.cutoff * len(structure) / structure.volume
        np.testing.assert_allclose(got.stress, wanted.stress, rtol=0, atol=atol)
