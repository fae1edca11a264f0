"""Forces and stress against differences of the energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.potential import Potential
from nnp.structure import Structure
from nnp.testing.tolerances import DIFFERENCE_RTOL, DIFFERENCE_STEP


def slope(
    potential: Potential,
    structure: Structure,
    direction: NDArray[np.float64],
    strain: NDArray[np.float64],
    engine: str = "cpu",
    **options: Any,
) -> float:
    """Derivative of the energy along a displacement and a strain, by four-point differences.

    Args:
        potential: whose energy.
        structure: where.
        direction: (n, 3) displacement per unit of the path's parameter (Å).
        strain: (3, 3) strain per unit, of positions and cell alike.
        engine: which engine.
        options: of the engine.

    Returns:
        dE/dt, eV per unit.
    """

    def energy(t: float) -> float:
        deformation = np.eye(3) + t * strain
        moved = Structure(
            structure.positions @ deformation + t * direction,
            structure.atomic_numbers,
            structure.cell @ deformation,
            structure.pbc,
        )
        return potential.evaluate(moved, engine, forces=False, **options).energy

    h = DIFFERENCE_STEP
    return (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h)


def assert_forces_match_energy(
    potential: Potential,
    structure: Structure,
    engine: str = "cpu",
    n_directions: int = 4,
    **options: Any,
) -> None:
    """Forces, and the stress where there is one, are the energy's derivatives.

    Compared along random directions, so that an error in any component shows in each of them.

    Raises:
        AssertionError: they differ by more than ``DIFFERENCE_RTOL`` of the largest.
    """
    rng = np.random.default_rng(len(structure))
    periodic = bool(structure.pbc.all())
    result = potential.evaluate(structure, engine, forces=True, stress=periodic, **options)
    assert result.forces is not None
    # Symmetry can make all forces vanish: below this (eV/Å) nothing is compared relative.
    scale = max(float(np.abs(result.forces).max()), 0.1)
    for _ in range(n_directions):
        direction = rng.normal(size=structure.positions.shape)
        direction /= np.linalg.norm(direction)
        numeric = slope(potential, structure, direction, np.zeros((3, 3)), engine, **options)
        np.testing.assert_allclose(
            -np.vdot(result.forces, direction), numeric, rtol=0, atol=DIFFERENCE_RTOL * scale
        )
    if result.stress is None:
        return
    still = np.zeros_like(structure.positions)
    tensor = structure.volume * result.stress[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
    scale = max(float(np.abs(tensor).max()), 1.0)
    for _ in range(n_directions):
        strain = rng.normal(size=(3, 3))
        strain = (strain + strain.T) / potential.cutoff  # moves neighbours by about h
        numeric = slope(potential, structure, still, strain, engine, **options)
        np.testing.assert_allclose(
            np.vdot(tensor, strain), numeric, rtol=0, atol=DIFFERENCE_RTOL * scale
        )
