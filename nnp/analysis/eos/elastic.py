"""Elastic constants: stresses of small strains, ions at rest in each.

C_ij = (σ_i(ε_j) − σ_i(−ε_j)) / 2 ε_j in Voigt's order xx, yy, zz, yz, xz, xy with shears γ = 2 ε;
averages of Voigt, Reuss and Hill: Hill, Proc. Phys. Soc. A 65, 349 (1952),
doi:10.1088/0370-1298/65/5/307.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.eos.crystal import at_rest, require_crystal
from nnp.analysis.thermodynamics import EV_PER_A3_IN_GPA
from nnp.errors import OptionError
from nnp.values import require_number

Floats = NDArray[np.float64]

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
# Share of the largest constant below which two are the same.
_SAME = 0.01


@dataclass(frozen=True, eq=False)
class ElasticConstants:
    """Of a crystal, in the axes of its structure.

    Attributes:
        constants: (6, 6), GPa, symmetric.
        asymmetry: largest difference of C_ij and C_ji before they were averaged, GPa: what strain
            and tolerances leave.
    """

    constants: Floats
    asymmetry: float

    @property
    def cubic(self) -> tuple[float, float, float] | None:
        """C₁₁, C₁₂, C₄₄, GPa; None where the constants are not those of a cubic crystal."""
        c = self.constants
        found = (
            c[:3, :3].diagonal().mean(),
            c[[0, 0, 1], [1, 2, 2]].mean(),
            c[3:].diagonal(3).mean(),
        )
        wanted = np.zeros((6, 6))
        wanted[:3, :3] = found[1]
        wanted[range(3), range(3)] = found[0]
        wanted[range(3, 6), range(3, 6)] = found[2]
        same = np.abs(c - wanted).max() < _SAME * np.abs(c).max()
        return (float(found[0]), float(found[1]), float(found[2])) if same else None

    @property
    def stable(self) -> bool:
        """Whether every strain costs energy."""
        return bool(np.linalg.eigvalsh(self.constants)[0] > 0)

    @property
    def bulk_modulus(self) -> float:
        """Hill's, GPa: the mean of Voigt's and Reuss's."""
        return self._hill(_bulk)

    @property
    def shear_modulus(self) -> float:
        """Hill's, GPa."""
        return self._hill(_shear)

    @property
    def young_modulus(self) -> float:
        """Of a polycrystal, GPa."""
        b, g = self.bulk_modulus, self.shear_modulus
        return 9 * b * g / (3 * b + g)

    @property
    def poisson_ratio(self) -> float:
        """Of a polycrystal."""
        b, g = self.bulk_modulus, self.shear_modulus
        return (3 * b - 2 * g) / (2 * (3 * b + g))

    def _hill(self, average: Any) -> float:
        voigt, reuss = average(self.constants, np.linalg.inv(self.constants))
        return float((voigt + reuss) / 2)


def _bulk(c: Floats, s: Floats) -> tuple[float, float]:
    return float(c[:3, :3].sum() / 9), float(1 / s[:3, :3].sum())


def _shear(c: Floats, s: Floats) -> tuple[float, float]:
    def parts(m: Floats) -> tuple[float, float, float]:
        off = m[0, 1] + m[0, 2] + m[1, 2]
        return float(np.trace(m[:3, :3])), float(off), float(np.trace(m[3:, 3:]))

    diagonal, off, shear = parts(c)
    voigt = (diagonal - off + 3 * shear) / 15
    diagonal, off, shear = parts(s)
    return voigt, 15 / (4 * diagonal - 4 * off + 3 * shear)


def require_strain(strain: float) -> None:
    """Refuse strains beyond which no crystal is linear.

    Raises:
        OptionError: it is one.
    """
    if not 0 < require_number("strain", strain, 0) <= 0.05:
        raise OptionError(f"strain={strain}: must be above 0 and at most 0.05")


def elastic_constants(
    model: Any, atoms: Any, strain: float = 1e-3, relax_ions: bool = True
) -> ElasticConstants:
    """All 21 of them.

    Args:
        model: an ASE calculator with stresses.
        atoms: the crystal, without stress.
        strain: of each of the twelve strained cells.
        relax_ions: whether ions are relaxed in each (else they follow the cell).

    Raises:
        OptionError: the strain is not allowed.
        StructureError: no crystal.
    """
    require_crystal(atoms)
    require_strain(strain)
    constants = np.empty((6, 6))
    for column, (a, b) in enumerate(_VOIGT):
        sides = []
        for sign in (1.0, -1.0):
            deformation = np.eye(3)
            deformation[a, b] += sign * strain / (1.0 if a == b else 2.0)
            if a != b:
                deformation[b, a] = deformation[a, b]
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
            if relax_ions:
                strained = at_rest(model, strained, cell=False)
            strained.calc = model
            sides.append(np.asarray(strained.get_stress(), np.float64))
        constants[:, column] = (sides[0] - sides[1]) / (2 * strain) * EV_PER_A3_IN_GPA
    asymmetry = float(np.abs(constants - constants.T).max())
    return ElasticConstants((constants + constants.T) / 2, asymmetry)
