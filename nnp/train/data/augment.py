"""New structures from known ones: scaled cells, strains, random displacements; and mixtures.

They carry no labels: have a teacher or a calculation label them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnp.errors import OptionError
from nnp.train.data.frames import require_atoms
from nnp.values import counted, require_whole

# Per-atom columns that belong to the atoms, not to where they are: everything else stays after,
# above all labels of the old positions.
_KEPT = ("masses", "tags", "initial_charges", "initial_magmoms")


@dataclass(frozen=True)
class AugmentSettings:
    """What is done to each structure.

    Attributes:
        scale: largest relative change of all cell lengths together; drawn evenly from ±scale.
        strain: standard deviation of the diagonal components of a random symmetric strain,
            (s + sᵀ) / 2 of nine equal draws; those off the diagonal have 1/√2 of it. Below 0.5.
        displacement: standard deviation of each coordinate, Å.
        copies: new structures per structure.
        seed: of the draws.
    """

    scale: float = 0.05
    strain: float = 0.0
    displacement: float = 0.0
    copies: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("seed", self.seed, 0)
        for name in ("scale", "strain"):
            value = getattr(self, name)
            if not 0 <= value < 0.5:
                raise OptionError(f"{name} = {value} must be from 0 to below 0.5")
        if not (math.isfinite(self.displacement) and self.displacement >= 0):
            raise OptionError(f"displacement = {self.displacement} must not be negative")
        if self.copies < 1:
            raise OptionError(f"copies = {self.copies}: 1 or more")


def augment(frames: Sequence[Any], settings: AugmentSettings) -> list[Any]:
    """Changed copies of ``ase.Atoms`` in the group ``augmented``.

    Of what a structure holds beside its atoms and cell only masses, tags, initial charges and
    magnetic moments are taken over: labels, whatever they are called, are the old positions'.

    A periodic structure is scaled and strained with its cell; one without a cell is only displaced
    and scaled.

    Raises:
        StructureError: a structure without atoms.
    """
    require_atoms(frames)
    rng = np.random.default_rng(settings.seed)
    found = []
    for atoms in frames:
        for _ in range(settings.copies):
            changed = _bare(atoms)
            strain = rng.normal(0, settings.strain, (3, 3)) if settings.strain else np.zeros((3, 3))
            factor = 1 + rng.uniform(-settings.scale, settings.scale)
            deformation = factor * (np.eye(3) + (strain + strain.T) / 2)
            changed.set_cell(np.asarray(atoms.cell) @ deformation, scale_atoms=False)
            moved = atoms.positions @ deformation
            noise = rng.normal(0, 1, moved.shape) * settings.displacement
            changed.positions = moved + noise
            changed.info = {"group": "augmented", "scale": float(factor)}
            found.append(changed)
    return found


def _bare(atoms: Any) -> Any:
    """The atoms and their cell."""
    bare = atoms.copy()
    bare.calc = None
    bare.arrays = {"numbers": bare.numbers, "positions": bare.positions} | {
        name: bare.arrays[name] for name in _KEPT if name in bare.arrays
    }
    return bare


def mix(
    first: Sequence[Any], second: Sequence[Any], count: int, ratio: float, seed: int = 0
) -> list[Any]:
    """A random choice of ``count`` structures, a share ``ratio`` of them from the first list.

    Raises:
        OptionError: a list is too short, or the ratio is outside [0, 1].
    """
    if not 0 <= ratio <= 1 or count < 1:
        raise OptionError(f"ratio = {ratio} must be in [0, 1] and count = {count} at least 1")
    wanted = round(ratio * count), count - round(ratio * count)
    rng = np.random.default_rng(seed)
    found = []
    for name, frames, number in zip(("first", "second"), (first, second), wanted, strict=True):
        if len(frames) < number:
            raise OptionError(
                f"the {name} set has {counted(len(frames), 'structure')}, {number} are expected: "
                "lower the count"
            )
        found += [frames[i] for i in sorted(rng.permutation(len(frames))[:number])]
    return found
