"""The CPU engine with a hundred thousand atoms: as many copies of a few."""

from __future__ import annotations

import ase.build
import numpy as np
import pytest

from nnp.testing import (
    ENERGY_PER_ATOM_FLOAT32,
    ENERGY_RTOL_FLOAT64,
    FORCE_RTOL_FLOAT32,
    FORCE_RTOL_FLOAT64,
    random_potential,
)

COPIES = (24, 24, 22)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_hundred_thousand_atoms(dtype):
    potential = random_potential(("Si",), seed=1, families=("radial", "angular_narrow"))
    cell = ase.build.bulk("Si", cubic=True)
    cell.rattle(0.1, seed=4)
    one = potential.evaluate(cell, "cpu", stress=True)
    crystal = cell * COPIES
    assert len(crystal) > 1e5
    many = potential.evaluate(crystal, "cpu", stress=True, dtype=dtype)
    forces = np.tile(one.forces, (np.prod(COPIES), 1))
    if dtype == "float64":
        energy_atol = ENERGY_RTOL_FLOAT64 * np.abs(one.energies).max()
        force_atol = FORCE_RTOL_FLOAT64 * np.abs(forces).max()
    else:
        energy_atol = ENERGY_PER_ATOM_FLOAT32
        force_atol = FORCE_RTOL_FLOAT32 * np.sqrt(np.mean(forces**2))
    per_atom = many.energy / len(crystal)
    np.testing.assert_allclose(per_atom, one.energy / len(cell), rtol=0, atol=energy_atol)
    np.testing.assert_allclose(many.forces, forces, rtol=0, atol=force_atol)
    np.testing.assert_allclose(many.stress, one.stress, rtol=0, atol=force_atol)
