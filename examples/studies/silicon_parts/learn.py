"""Silicon sampled from its teacher, and a network that learns it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms
from ase.build import bulk
from md_parts.fitting import between

from nnp.teachers.ase import StillingerWeber
from nnp.train.data.augment import AugmentSettings, augment
from nnp.train.data.sampling import SampleSettings, sample

LATTICE_CONSTANT = 5.431  # Å
MELT_K = 3000.0
# Functions and network of the potential that comes with nnp
SETTINGS = Path(__file__).parents[2] / "train_silicon" / "fit.toml"


@dataclass(frozen=True)
class Recipe:
    """How much is sampled.

    Attributes:
        cells: cubic cells along each edge of the sampled crystal.
        crystal: temperatures and volumes of the crystal.
        melt: of the melt; starts from a melted crystal.
        melting_steps: of 2 fs at 3000 K, until the crystal is gone.
        strained: crystals of 8 atoms under random strain, for elasticity.
    """

    cells: int
    crystal: SampleSettings
    melt: SampleSettings
    melting_steps: int
    strained: int


FULL = Recipe(
    cells=2,
    crystal=SampleSettings((300.0, 900.0, 1600.0), (0.94, 1.0, 1.06), 10, 25, 250, timestep_fs=2.0),
    melt=SampleSettings((2000.0, MELT_K), (0.94, 1.0, 1.06), 20, 25, 250, timestep_fs=2.0, seed=1),
    melting_steps=2500,
    strained=60,
)
QUICK = Recipe(
    cells=2,
    crystal=replace(FULL.crystal, temperatures=(300.0, 1200.0), volumes=(1.0,), snapshots=6),
    melt=replace(FULL.melt, temperatures=(MELT_K,), volumes=(1.0,), snapshots=8),
    melting_steps=500,
    strained=20,
)


def crystal(cells: int) -> Atoms:
    """A perfect crystal of 8 cells³ atoms."""
    return bulk("Si", a=LATTICE_CONSTANT, cubic=True) * (cells, cells, cells)


def unseen(recipe: Recipe) -> list[Atoms]:
    """Independent frames of the same states and of temperatures between them, for testing."""
    return sampled(replace(recipe, crystal=between(recipe.crystal), melt=between(recipe.melt)))


def sampled(recipe: Recipe) -> list[Atoms]:
    """Labelled crystals, melts and strained cells."""
    solid = sample([crystal(recipe.cells)], StillingerWeber, recipe.crystal)
    melting = SampleSettings(
        (MELT_K,), snapshots=1, equilibration=recipe.melting_steps, timestep_fs=2.0
    )
    liquid = sample([crystal(recipe.cells)], StillingerWeber, melting)
    melt = sample(liquid, StillingerWeber, recipe.melt)
    for frame in melt:
        frame.info["group"] = f"melt, {frame.info['group']}"
    strained = augment(
        [crystal(1)],
        AugmentSettings(scale=0.03, strain=0.02, displacement=0.05, copies=recipe.strained),
    )
    for frame in strained:
        frame.info["group"] = "strained"
        frame.calc = StillingerWeber()
        frame.get_stress()
    return [*solid, *melt, *strained]
