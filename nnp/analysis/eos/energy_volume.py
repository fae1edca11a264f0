"""Energy over volume, ions at rest at each, and Birch-Murnaghan's curve through it (ASE's fit).

Reference: Birch, Phys. Rev. 71, 809 (1947), doi:10.1103/PhysRev.71.809.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase.eos import EquationOfState, birchmurnaghan
from numpy.typing import NDArray

from nnp.analysis.eos.crystal import at_rest, require_crystal
from nnp.analysis.thermodynamics import EV_PER_A3_IN_GPA
from nnp.errors import NumericalError, OptionError
from nnp.values import require_number, require_whole

Floats = NDArray[np.float64]

_FEWEST_POINTS = 5  # four parameters


@dataclass(frozen=True, eq=False)
class EnergyVolume:
    """The curve; per atom.

    Attributes:
        volumes: (p,), Å³ per atom.
        energies: (p,), eV per atom.
        volume: of least energy, Å³ per atom.
        energy: there, eV per atom.
        bulk_modulus: B₀, GPa.
        derivative: B₀′ = dB/dP.
        residual: root mean square of energies from the curve, eV per atom.
    """

    volumes: Floats
    energies: Floats
    volume: float
    energy: float
    bulk_modulus: float
    derivative: float
    residual: float

    def curve(self, volumes: Floats) -> Floats:
        """Birch-Murnaghan's energies (eV per atom) of volumes (Å³ per atom)."""
        modulus = self.bulk_modulus / EV_PER_A3_IN_GPA
        return np.asarray(
            birchmurnaghan(volumes, self.energy, modulus, self.derivative, self.volume)  # type: ignore[no-untyped-call]
        )


def require_points(points: int) -> None:
    """Refuse fewer volumes than the curve has parameters, and one.

    Raises:
        OptionError: they are.
    """
    require_whole("points", points, _FEWEST_POINTS)


def require_span(span: float) -> None:
    """Refuse changes of the volume that no crystal bears.

    Raises:
        OptionError: it is one.
    """
    if not 0 < require_number("span", span, 0) < 0.5:
        raise OptionError(f"span={span}: a relative change of the volume above 0, below 0.5")


def energy_volume(model: Any, atoms: Any, span: float = 0.06, points: int = 9) -> EnergyVolume:
    """Energies of the cell made larger and smaller in its shape.

    Args:
        model: an ASE calculator.
        atoms: the crystal.
        span: largest relative change of the volume, to both sides.
        points: how many volumes.

    Raises:
        OptionError: span or points is not allowed.
        StructureError: no crystal.
        NumericalError: the least energy is not among these volumes.
    """
    require_crystal(atoms)
    require_points(points)
    require_span(span)
    volumes, energies = [], []
    for scale in np.linspace(1 - span, 1 + span, points):
        changed = atoms.copy()
        changed.set_cell(atoms.cell.array * scale ** (1 / 3), scale_atoms=True)
        still = at_rest(model, changed, cell=False)
        volumes.append(still.get_volume() / len(still))
        energies.append(still.get_potential_energy() / len(still))
    return _fitted(np.array(volumes), np.array(energies))


def _fitted(volumes: Floats, energies: Floats) -> EnergyVolume:
    least = int(energies.argmin())
    if least in (0, len(energies) - 1):
        raise NumericalError(
            f"energies fall up to the {'smallest' if least == 0 else 'largest'} volume, "
            f"{volumes[least]:.4g} Å³ per atom: there is no minimum between {volumes[0]:.4g} and "
            f"{volumes[-1]:.4g}; relax the cell first (nnp relax --cell), or take a larger span"
        )
    fit: Any = EquationOfState(volumes, energies, eos="birchmurnaghan")  # type: ignore[no-untyped-call]
    try:
        volume, energy, modulus = fit.fit(warn=False)
    except RuntimeError as error:  # SciPy's, when it gives up
        raise NumericalError(
            f"Birch-Murnaghan's curve does not fit the energies: {error}"
        ) from None
    found = EnergyVolume(
        volumes,
        energies,
        float(volume),
        float(energy),
        float(modulus) * EV_PER_A3_IN_GPA,
        float(fit.eos_parameters[2]),
        0.0,
    )
    residual = float(np.sqrt(np.mean((energies - found.curve(volumes)) ** 2)))
    return replace(found, residual=residual)
