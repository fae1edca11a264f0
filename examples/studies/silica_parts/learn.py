"""Silica sampled from its teacher, and the settings of the network that learns it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms
from ase.spacegroup import crystal
from md_parts.fitting import between

from nnp.teachers.ase import Vashishta
from nnp.train.data.sampling import SampleSettings, sample

# α-quartz, space group P3₂21, with the lattice constants that Vashishta's potential gives it, Å
_A, _C = 4.829, 5.309
_SILICON, _OXYGEN = (0.4697, 0.0, 2 / 3), (0.4135, 0.2669, 0.7858)
MELT_K = 4000.0
MELTING_K = 6000.0  # far above the melting point: the crystal is gone within picoseconds

SETTINGS = Path(__file__).with_name("fit.toml")


@dataclass(frozen=True)
class Recipe:
    """How much is sampled.

    Attributes:
        quartz: temperatures and volumes of the crystal.
        melt: of the melt.
        melting_steps: of 1 fs at 6000 K.
    """

    quartz: SampleSettings
    melt: SampleSettings
    melting_steps: int


_VOLUMES = (0.95, 1.0, 1.05)
FULL = Recipe(
    quartz=SampleSettings((300.0, 1000.0), _VOLUMES, 6, 50, 300),
    melt=SampleSettings((3000.0, 4500.0, 6500.0, 9000.0), _VOLUMES, 9, 50, 300, seed=1),
    melting_steps=2500,
)
QUICK = Recipe(
    quartz=replace(FULL.quartz, volumes=(1.0,), snapshots=3, interval=20, equilibration=50),
    melt=replace(
        FULL.melt,
        temperatures=(4500.0,),
        volumes=(1.0,),
        snapshots=5,
        interval=20,
        equilibration=50,
    ),
    melting_steps=200,
)


def quartz(cells: int) -> Atoms:
    """A perfect crystal of 9 cells³ atoms."""
    cell = [_A, _A, _C, 90, 90, 120]
    unit = crystal(("Si", "O"), [_SILICON, _OXYGEN], spacegroup=154, cellpar=cell)
    return unit * (cells, cells, cells)


def melted(atoms: Atoms, steps: int) -> Atoms:
    """What is left of a crystal after some time at 6000 K and half as long at 4000 K."""
    for temperature, length in ((MELTING_K, steps), (MELT_K, steps // 2)):
        settings = SampleSettings((temperature,), snapshots=1, interval=1, equilibration=length)
        atoms = sample([atoms], Vashishta, settings)[0]
    return atoms


def unseen(recipe: Recipe) -> list[Atoms]:
    """Independent frames of states between those of the training, for testing."""
    return sampled(replace(recipe, quartz=between(recipe.quartz), melt=between(recipe.melt)))


def sampled(recipe: Recipe) -> list[Atoms]:
    """Labelled crystals and melts of 72 atoms."""
    solid = sample([quartz(2)], Vashishta, recipe.quartz)
    melt = sample([melted(quartz(2), recipe.melting_steps)], Vashishta, recipe.melt)
    for frame in melt:
        frame.info["group"] = f"melt, {frame.info['group']}"
    return [*solid, *melt]
