"""The state of a run at one step, in Å, eV and OpenMM's frame of axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import fs
from numpy.typing import NDArray

from nnp.evaluation import Extrapolations
from nnp.units import NANOMETRE

if TYPE_CHECKING:
    from nnp.openmm import OpenMMAtoms


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Positions, velocities and, where they were asked for, energies and forces.

    Attributes:
        step: how many steps were made since the beginning.
        time_fs: since the beginning.
        segment: see `nnp.md.dynamics.Begin`.
        positions_nm: (n, 3).
        velocities: (n, 3) Å/fs, of the same time as the positions.
        box_nm: (3, 3) box vectors as rows, None if not periodic.
        potential_energy: eV, NaN if not asked for.
        kinetic_energy: eV, NaN if not asked for.
        temperature: K, NaN if not asked for.
        forces: (n, 3) eV/Å, None if not asked for.
        extrapolations: of the potential, None if not known.
        conserved_energy: total energy and, with Nosé-Hoover chains, theirs, eV; NaN where the
            ensemble conserves nothing that is known.
        stress: (6,) of the potential and of the motion, −(1/V) Σ m v ⊗ v, eV/Å³, in ASE's order
            and sign and in the axes of the start; None if not known.
        force_spread: largest standard deviation of an atom's force over a committee, eV/Å; NaN if
            not known.
        spread_atom: whose, −1 if not known.
    """

    step: int
    time_fs: float
    positions_nm: NDArray[np.float64]
    velocities: NDArray[np.float64]
    box_nm: NDArray[np.float64] | None
    potential_energy: float = np.nan
    kinetic_energy: float = np.nan
    temperature: float = np.nan
    forces: NDArray[np.float64] | None = None
    extrapolations: Extrapolations | None = None
    segment: int = 0
    conserved_energy: float = np.nan
    stress: NDArray[np.float64] | None = None
    force_spread: float = np.nan
    spread_atom: int = -1

    @property
    def pressure(self) -> float:
        """eV/Å³; NaN if the stress is not known."""
        return np.nan if self.stress is None else -float(self.stress[:3].mean())

    @property
    def wrapped_nm(self) -> NDArray[np.float64]:
        """(n, 3) positions within the box; as they are if not periodic."""
        if self.box_nm is None:
            return self.positions_nm
        shares = self.positions_nm @ np.linalg.inv(self.box_nm)
        return np.asarray((shares - np.floor(shares)) @ self.box_nm)

    @property
    def volume(self) -> float:
        """Å³; NaN if not periodic."""
        if self.box_nm is None:
            return np.nan
        return float(abs(np.linalg.det(self.box_nm))) * NANOMETRE**3

    @property
    def total_energy(self) -> float:
        """eV; NaN if energies were not asked for."""
        return self.potential_energy + self.kinetic_energy

    def problem(self) -> str | None:
        """What is not finite, as a part of a sentence; None when all is well."""
        arrays = {
            "position": self.positions_nm,
            "force": np.zeros((1, 3)) if self.forces is None else self.forces,
            "velocity": self.velocities,
        }
        for name, array in arrays.items():
            finite = np.isfinite(array).all(axis=1)
            if not finite.all():
                return f"the {name} of atom {int(np.argmin(finite))} is not finite"
        if self.forces is not None and not np.isfinite(self.potential_energy):
            return f"the potential energy is {self.potential_energy}"
        return None

    def to_ase(self, start: OpenMMAtoms) -> Atoms:
        """An ``ase.Atoms`` in the axes of the starting structure, with momenta and results.

        Args:
            start: what `nnp.openmm.to_openmm` made of the starting structure.
        """
        atoms = start.to_ase(self.positions_nm, self.box_nm)
        back = start.rotation.T
        atoms.set_velocities(self.velocities @ back / fs)  # type: ignore[no-untyped-call]
        atoms.info.update(step=self.step, time_fs=self.time_fs, segment=self.segment)
        if self.forces is not None:
            atoms.calc = SinglePointCalculator(  # type: ignore[no-untyped-call]
                atoms, energy=self.potential_energy, forces=self.forces @ back
            )
        return atoms
