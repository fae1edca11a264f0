"""New structures from known ones: scaled and strained cells, moved and missing atoms; mixtures.

They carry no labels: have a teacher or a calculation label them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError, StructureError
from nnp.train.data.frames import require_atoms
from nnp.values import counted, require_whole

# Per-atom columns that belong to the atoms, not to where they are: everything else is left out,
# above all labels of the old positions.
_KEPT = ("masses", "tags", "initial_charges", "initial_magmoms")

# Components of a strain, in Voigt's order; off the diagonal size / 2 stands at both places.
DIRECTIONS = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


@dataclass(frozen=True)
class AugmentSettings:
    """What is done to each structure.

    Attributes:
        scale: largest relative change of all cell lengths together; drawn evenly from ±scale.
        strain: standard deviation of the diagonal components of a random symmetric strain,
            (s + sᵀ) / 2 of nine equal draws; those off the diagonal have 1/√2 of it. Below 0.5.
            Along ``directions``: the largest strain.
        displacement: standard deviation of each coordinate, Å.
        copies: new structures per structure, and per direction where there are some.
        volume: largest relative change of the volume, drawn evenly from ±volume, in place of
            ``scale``.
        directions: of `DIRECTIONS`, Cartesian: components that are strained one at a time, by equal
            steps from −strain to strain, instead of a random strain.
        displaced: how many atoms are displaced, drawn again for each copy; None: all.
        vacancies: atoms that are taken out of each copy, drawn again for each.
        seed: of the draws.
    """

    scale: float = 0.05
    strain: float = 0.0
    displacement: float = 0.0
    copies: int = 1
    seed: int = 0
    volume: float = 0.0
    directions: tuple[str, ...] = ()
    displaced: int | None = None
    vacancies: int = 0

    def __post_init__(self) -> None:
        require_whole("seed", self.seed, 0)
        require_whole("vacancies", self.vacancies, 0)
        if self.displaced is not None:
            require_whole("displaced", self.displaced, 1)
        if unknown := [name for name in self.directions if name not in DIRECTIONS]:
            allowed = ", ".join(DIRECTIONS)
            raise OptionError(f"direction {unknown[0]!r} of a strain: allowed are {allowed}")
        if self.directions and self.strain == 0:
            raise OptionError("directions without a strain: give the largest strain as well")
        for name in ("scale", "strain", "volume"):
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
        StructureError: a structure without atoms, or with too few for the vacancies.
    """
    require_atoms(frames)
    rng = np.random.default_rng(settings.seed)
    found = []
    for number, atoms in enumerate(frames):
        if len(atoms) <= settings.vacancies:
            raise StructureError(
                f"structure {number} has {counted(len(atoms), 'atom')}: none is left with "
                f"{settings.vacancies} vacancies"
            )
        for directed in _directed(settings):
            strain = _random_strain(settings, rng) if directed is None else directed
            if settings.volume:
                factor = (1 + rng.uniform(-settings.volume, settings.volume)) ** (1 / 3)
            else:
                factor = 1 + rng.uniform(-settings.scale, settings.scale)
            found.append(_changed(atoms, factor, strain, settings, rng))
    return found


def _directed(settings: AugmentSettings) -> list[NDArray[np.float64] | None]:
    """The strain of each copy of a structure; None: a random one."""
    if not settings.directions:
        return [None] * settings.copies
    alone = settings.copies == 1
    sizes = [settings.strain] if alone else np.linspace(-1, 1, settings.copies) * settings.strain
    found: list[NDArray[np.float64] | None] = []
    for name in settings.directions:
        i, j = DIRECTIONS[name]
        for size in sizes:
            strain = np.zeros((3, 3))
            strain[i, j] += size / 2
            strain[j, i] += size / 2
            found.append(strain)
    return found


def _random_strain(settings: AugmentSettings, rng: np.random.Generator) -> NDArray[np.float64]:
    if not settings.strain:
        return np.zeros((3, 3))
    drawn = rng.normal(0, settings.strain, (3, 3))
    return np.asarray((drawn + drawn.T) / 2)


def _changed(
    atoms: Any,
    factor: float,
    strain: NDArray[np.float64],
    settings: AugmentSettings,
    rng: np.random.Generator,
) -> Any:
    """One copy."""
    changed = _bare(atoms)
    deformation = factor * (np.eye(3) + strain)
    changed.set_cell(np.asarray(atoms.cell) @ deformation, scale_atoms=False)
    moved = atoms.positions @ deformation
    noise = rng.normal(0, 1, moved.shape) * settings.displacement
    if settings.displaced is not None:
        noise[rng.permutation(len(atoms))[settings.displaced :]] = 0
    changed.positions = moved + noise
    changed.info = {"group": "augmented", "scale": float(factor)}
    if settings.vacancies:
        del changed[rng.permutation(len(atoms))[: settings.vacancies].tolist()]
    return changed


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
