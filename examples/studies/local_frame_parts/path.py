"""One atom moved along a line through a warm crystal: energy, force, and where frames change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray

_HALF = 0.25  # Å, to both sides
_DIRECTION = np.array([0.36, 0.48, 0.80])


@dataclass(frozen=True)
class Path:
    """What was seen along it.

    Attributes:
        place: Å.
        energy: eV.
        force: along the path, eV/Å.
    """

    place: NDArray[np.float64]
    energy: NDArray[np.float64]
    force: NDArray[np.float64]

    @property
    def torn(self) -> NDArray[np.float64]:
        """Change of the energy from point to point that no force explains, eV.

        The trapezoid's own error is that of the smooth potentials beside: µeV at 401 points.
        """
        steps = np.diff(self.place)
        return np.diff(self.energy) + steps * (self.force[1:] + self.force[:-1]) / 2

    def numbers(self) -> dict[str, Any]:
        """For the table."""
        jumps = 1e3 * np.abs(self.torn)
        return {
            "largest jump of the energy / meV": float(jumps.max()),
            "jumps above 1 meV": int((jumps > 1.0).sum()),
            "largest change of the force / eV/Å": float(np.abs(np.diff(self.force)).max()),
        }


def walk(atoms: Atoms, calculator: Calculator, points: int) -> Path:
    """Atom 0 from −0.25 to 0.25 Å."""
    moved = atoms.copy()
    moved.calc = calculator
    place, energy, force = np.linspace(-_HALF, _HALF, points), [], []
    for x in place:
        moved.positions[0] = atoms.positions[0] + x * _DIRECTION
        energy.append(moved.get_potential_energy())
        force.append(float(moved.get_forces()[0] @ _DIRECTION))
    return Path(place, np.array(energy), np.array(force))


def frame_changes(atoms: Atoms, points: int) -> list[float]:
    """Places (Å) where the two nearest neighbours, or their order, of any atom change."""
    place = np.linspace(-_HALF, _HALF, points)
    found, before = [], None
    moved = atoms.copy()
    for x in place:
        moved.positions[0] = atoms.positions[0] + x * _DIRECTION
        distances = moved.get_all_distances(mic=True)
        now = np.argsort(distances, axis=1)[:, 1:3]
        if before is not None and (now != before).any():
            found.append(float(x - (place[1] - place[0]) / 2))
        before = now
    return found
