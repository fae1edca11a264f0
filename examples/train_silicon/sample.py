"""What silicon is sampled, and how: every frame is labelled by the Stillinger-Weber teacher.

A recipe is a list of groups; each group has its own random stream, derived from the seed and its
place in the list, so that adding a group leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atom, Atoms, units
from ase.build import bulk
from ase.md.langevin import Langevin
from tqdm import tqdm

from nnp.teachers.ase import StillingerWeber

LATTICE_CONSTANT = 5.431  # Å, the minimum of Stillinger-Weber diamond
TIMESTEP_FS = 2.0
FRICTION_PER_FS = 0.02
EQUILIBRATION_STEPS = 500
STEPS_BETWEEN_FRAMES = 50
FRAMES_PER_RUN = 5  # each run starts from another strained cell
MELTING_TEMPERATURE = 5000.0  # K; Stillinger-Weber melts at 1691 K, but a small crystal superheats


@dataclass(frozen=True)
class Group:
    """Frames that are made alike.

    Attributes:
        name: for tables.
        kind: "crystal", "vacancy", "interstitial", "melt" (Langevin MD) or "static" (no MD).
        temperature: of the MD, K.
        frames: how many.
        repeat: conventional cells along each axis: 2 is 64 atoms, 3 is 216.
        scale: the cell's edges are scaled by a factor between 1 - scale and 1 + scale.
        shear: standard deviation of a random symmetric strain.
    """

    name: str
    kind: str
    temperature: float
    frames: int
    repeat: int = 2
    scale: float = 0.03
    shear: float = 0.01


CRYSTALS = [Group(f"crystal {t} K", "crystal", t, 40) for t in range(300, 2101, 300)]
LARGE = [Group(f"crystal {t} K, 216 atoms", "crystal", t, 5, 3) for t in (300, 900, 1500)]
DEFECTS = [
    Group(f"{kind} {t} K", kind, t, 10, 2, 0.02, 0.005)
    for t in (1000, 1500)
    for kind in ("vacancy", "interstitial")
]
MELTS = [Group(f"melt {t} K", "melt", t, 50, 2, 0.05, 0.0) for t in (1700, 2000, 2500, 3000)]
STATIC = [Group("strained, displaced", "static", 0, 50, 2, 0.1, 0.02)]
TRAINING = STATIC + CRYSTALS + LARGE + DEFECTS + MELTS

TEST = [
    *(Group(f"crystal {t} K", "crystal", t, 10, 2, 0.02) for t in range(300, 1801, 300)),
    *(Group(f"crystal {t} K, 216 atoms", "crystal", t, 3, 3, 0.01) for t in (300, 900, 1500)),
    *(Group(f"{k} 1500 K", k, 1500, 10, 2, 0.01, 0.005) for k in ("vacancy", "interstitial")),
    *(Group(f"melt {t} K", "melt", t, 10, 2, 0.03, 0.0) for t in (1700, 2000, 2500)),
]


def sample(recipe: list[Group], seed: int, title: str) -> dict[str, list[Atoms]]:
    """Make all frames of a recipe.

    Args:
        recipe: the groups.
        seed: the same seed gives the same frames (on one machine, with one set of libraries).
        title: in front of the progress bar.

    Returns:
        By the groups' names, frames that carry the teacher's calculator.
    """
    frames: dict[str, list[Atoms]] = {}
    with tqdm(total=sum(group.frames for group in recipe), desc=title, unit="frame") as bar:
        for index, group in enumerate(recipe):
            rng = np.random.default_rng([seed, index])
            frames[group.name] = []
            for frame in _frames(group, rng):
                frame.calc = StillingerWeber()
                frames[group.name].append(frame)
                bar.update()
    return frames


def _frames(group: Group, rng: np.random.Generator) -> Iterator[Atoms]:
    if group.kind == "static":
        for _ in range(group.frames):
            atoms = start(group, rng)
            atoms.rattle(rng.uniform(0.01, 0.25), rng=rng)
            yield atoms
        return
    for first in range(0, group.frames, FRAMES_PER_RUN):
        atoms = start(group, rng)
        if group.kind == "melt":
            run(atoms, MELTING_TEMPERATURE, EQUILIBRATION_STEPS, rng)
        run(atoms, group.temperature, EQUILIBRATION_STEPS, rng)
        for _ in range(min(FRAMES_PER_RUN, group.frames - first)):
            run(atoms, group.temperature, STEPS_BETWEEN_FRAMES, rng)
            yield atoms.copy()


def start(group: Group, rng: np.random.Generator) -> Atoms:
    """A strained crystal, with its defect if it has one."""
    atoms = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(group.repeat)
    if group.kind == "vacancy":
        del atoms[0]
    if group.kind == "interstitial":
        centre_of_cage = atoms.positions[0] + 0.5 * LATTICE_CONSTANT
        atoms.append(Atom("Si", centre_of_cage))
    strain = group.shear * rng.normal(size=(3, 3))
    strain = (strain + strain.T) / 2 + np.eye(3) * rng.uniform(-group.scale, group.scale)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return atoms


def run(atoms: Atoms, temperature: float, steps: int, rng: np.random.Generator) -> None:
    """Langevin dynamics with the teacher; draws new velocities if the atoms stand still."""
    if atoms.calc is None:
        atoms.calc = StillingerWeber()
    if not atoms.get_momenta().any():
        # twice the temperature: half of it becomes potential energy of the lattice
        width = np.sqrt(2 * units.kB * temperature * atoms.get_masses())
        atoms.set_momenta(width[:, None] * rng.normal(size=(len(atoms), 3)))
    friction = FRICTION_PER_FS / units.fs
    dynamics = Langevin(
        atoms,
        TIMESTEP_FS * units.fs,
        temperature_K=temperature,
        friction=friction,
        fixcm=False,
        rng=rng,
    )
    dynamics.run(steps)
