"""Labelled snapshots of molecular dynamics, by any ASE calculator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.langevin import Langevin
from numpy.typing import NDArray

from nnp.errors import NNPError, NumericalError, OptionError, UnavailableError
from nnp.limits import default_max_speed, default_max_temperature, temperature_of, too_fast
from nnp.terminal import progress_bar
from nnp.train.data.frames import require_atoms
from nnp.values import require_whole

# Beyond these atoms are no matter, and numbers are typing errors: K, and volumes.
_LARGEST = {"temperatures": 1e5, "volumes": 100.0}

# What is done with each snapshot as it comes.
Keep = Callable[[Atoms], None]


@dataclass(frozen=True, eq=False)
class Point:
    """Where the dynamics stood after a snapshot.

    Attributes:
        positions: (n, 3) Å.
        momenta: (n, 3), ASE's unit.
        rng: state of the random numbers.
    """

    positions: NDArray[np.float64]
    momenta: NDArray[np.float64]
    rng: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Resumed:
    """What an interrupted run had done.

    Attributes:
        found: its snapshots.
        point: after the last of them; None where there is no dynamics.
    """

    found: list[Atoms]
    point: Point | None = None


# Is called after `Keep`, with the point that the next snapshot starts from.
Checkpoint = Callable[[Point | None], None]

# Parts of the names under which files keep labels.
_LABEL_WORDS = ("energy", "energies", "force", "stress", "virial", "predicted_by")


@dataclass(frozen=True)
class SampleSettings:
    """A grid of temperatures and volumes.

    Attributes:
        temperatures: K, up to 1e5.
        volumes: factors of the structure's volume, up to 100.
        snapshots: per temperature and volume.
        interval: steps between snapshots.
        equilibration: steps before the first.
        timestep_fs: of the dynamics, fs.
        friction_per_ps: of the Langevin thermostat, 1/ps.
        seed: of velocities and noise.
        max_temperature: the dynamics is stopped above it, K; None: ten times its own or 1,000 K,
            more for few atoms.
        max_speed: likewise, of an atom, Å/fs; None: half an Å in a step.
        keep_going: whether it goes on beyond these two; what is not finite always stops it.
    """

    temperatures: tuple[float, ...] = (300.0,)
    volumes: tuple[float, ...] = (1.0,)
    snapshots: int = 10
    interval: int = 50
    equilibration: int = 200
    timestep_fs: float = 1.0
    friction_per_ps: float = 10.0
    seed: int = 0
    max_temperature: float | None = None
    max_speed: float | None = None
    keep_going: bool = False

    def __post_init__(self) -> None:
        require_whole("seed", self.seed, 0)
        for name in ("temperatures", "volumes"):
            values = getattr(self, name)
            allowed = f"above 0, up to {_LARGEST[name]:g}"
            if not values or not all(0 < value <= _LARGEST[name] for value in values):
                raise OptionError(f"{name} = {list(values)}: numbers {allowed} are expected")
        for name in ("snapshots", "interval"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} = {getattr(self, name)}: 1 or more")
        if self.equilibration < 0 or self.timestep_fs <= 0 or self.friction_per_ps <= 0:
            raise OptionError(
                f"equilibration = {self.equilibration}, timestep_fs = {self.timestep_fs}, "
                f"friction_per_ps = {self.friction_per_ps}: they must be positive"
            )


def sample(
    structures: Sequence[Atoms],
    make_calculator: Callable[[], Any],
    settings: SampleSettings,
    quiet: bool = True,
    keep: Keep | None = None,
    checkpoint: Checkpoint | None = None,
    resumed: Resumed | None = None,
) -> list[Atoms]:
    """Run Langevin dynamics of each structure at each temperature and volume.

    Args:
        structures: where to start.
        make_calculator: a new ASE calculator, which moves the atoms and labels the snapshots.
        settings: the grid.
        quiet: whether to hide the progress bar.
        keep: is called with each snapshot as it comes, such as a file's ``write``.
        checkpoint: is called then with where the dynamics stands.
        resumed: what an interrupted run of the same grid had done; it continues from there.

    Returns:
        Snapshots with energy, forces and (if the calculator knows it) stress, in groups named by
        temperature.

    Raises:
        StructureError: a structure without atoms.
        NumericalError: the dynamics blew up.
        UnavailableError: the teacher failed. All errors say which structure, temperature, volume
            and step.
    """
    require_atoms(structures)
    grid = list(product(enumerate(structures), settings.temperatures, settings.volumes))
    seeds = np.random.SeedSequence(settings.seed).spawn(len(grid))
    found = [] if resumed is None else list(resumed.found)
    done, point = len(found), None if resumed is None else resumed.point
    with progress_bar(
        total=len(grid) * settings.snapshots, unit="snapshot", disable=quiet or None
    ) as bar:
        bar.update(done)
        for ((number, atoms), temperature, volume), seed in zip(grid, seeds, strict=True):
            if done >= settings.snapshots:
                done -= settings.snapshots
                continue
            start: Any = atoms.copy()  # type: ignore[no-untyped-call]
            start.set_cell(atoms.cell * volume ** (1 / 3), scale_atoms=True)
            start.calc = make_calculator()
            where = f"structure {number} at {temperature:g} K, volume factor {volume:g}"
            rng = np.random.default_rng(seed)
            since = point if done else None
            for snapshot in _trajectory(start, temperature, settings, rng, where, done, since):
                done = 0
                snapshot.info |= {"group": f"{temperature:g} K", "volume_factor": volume}
                _take(snapshot, found, keep)
                if checkpoint is not None:
                    state: Any = rng.bit_generator.state
                    checkpoint(Point(start.positions.copy(), start.get_momenta(), dict(state)))
                bar.update()
    return found


def label(
    structures: Sequence[Atoms],
    make_calculator: Callable[[], Any],
    quiet: bool = True,
    keep: Keep | None = None,
    checkpoint: Checkpoint | None = None,
    resumed: Resumed | None = None,
) -> list[Atoms]:
    """The structures as they are, with energy, forces and (if the calculator knows it) stress.

    Args:
        structures: what to label; what stands in ``atoms.info`` is kept, but for what its name
            calls a label (energy, forces, stress, virial): that is another's, and is warned about.
        make_calculator: a new ASE calculator.
        quiet: whether to hide the progress bar.
        keep: is called with each labelled structure as it comes, such as a file's ``write``.
        checkpoint: is called then.
        resumed: what an interrupted run had done; it continues from there.

    Raises:
        StructureError: a structure without atoms.
        NumericalError: a label is not finite.
        UnavailableError: the teacher failed. All name the structure.
    """
    require_atoms(structures)
    calculator = make_calculator()
    found = [] if resumed is None else list(resumed.found)
    done = len(found)
    foreign: dict[str, None] = {}  # an ordered set
    for number, atoms in enumerate(
        progress_bar(structures, unit="structure", disable=quiet or None)
    ):
        if number < done:
            continue
        start: Any = atoms.copy()
        start.calc = calculator
        with _teacher_at(start, f"structure {number}"):
            labelled = _labelled(start, "its labels are not finite")
        labelled.info |= {key: atoms.info[key] for key in atoms.info if not _is_label(key)}
        foreign |= dict.fromkeys(filter(_is_label, (*atoms.info, *atoms.arrays)))
        _take(labelled, found, keep)
        if checkpoint is not None:
            checkpoint(None)
    if foreign:
        warnings.warn(
            f"labels of another origin are left out beside the teacher's: {', '.join(foreign)}",
            stacklevel=2,
        )
    return found


def _is_label(key: Any) -> bool:
    return any(word in str(key).lower() for word in _LABEL_WORDS)


def _take(snapshot: Atoms, found: list[Atoms], keep: Keep | None) -> None:
    found.append(snapshot)
    if keep is not None:
        keep(snapshot)


@contextmanager
def _teacher_at(atoms: Any, where: str, dynamics: Any = None) -> Iterator[None]:
    """Programs behind ASE fail in as many ways as there are, and at any step."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        where += "" if dynamics is None else f", step {dynamics.nsteps}"
        if isinstance(error, NNPError):
            raise type(error)(f"{where}: {error}") from error
        name, formula = type(atoms.calc).__name__, atoms.get_chemical_formula()
        raise UnavailableError(
            f"{where}: the teacher {name} cannot compute {formula}: {type(error).__name__}: {error}"
        ) from error


def _trajectory(
    atoms: Any,
    temperature: float,
    settings: SampleSettings,
    rng: np.random.Generator,
    where: str,
    done: int,
    since: Point | None,
) -> Iterator[Atoms]:
    if since is None:
        # Maxwell and Boltzmann's: each momentum normal with variance m k T
        deviation = np.sqrt(atoms.get_masses() * units.kB * temperature)
        atoms.set_momenta(deviation[:, None] * rng.normal(size=(len(atoms), 3)))
    else:
        atoms.set_positions(since.positions, apply_constraint=False)
        atoms.set_momenta(since.momenta, apply_constraint=False)
        rng.bit_generator.state = since.rng
    dynamics: Any = Langevin(
        atoms,
        settings.timestep_fs * units.fs,
        temperature_K=temperature,
        friction=settings.friction_per_ps / (1000 * units.fs),
        fixcm=False,  # the momentum may drift: energies and forces do not see it
        rng=rng,
    )
    for number in range(done, settings.snapshots):
        with _teacher_at(atoms, where, dynamics):
            if number == 0:
                dynamics.run(settings.equilibration)
            dynamics.run(settings.interval)
            snapshot = _labelled(
                atoms,
                "the dynamics blew up: a smaller timestep_fs, a lower temperature or a better "
                "starting structure is needed",
            )
            _check_motion(atoms, temperature, settings)
        yield snapshot


def _check_motion(atoms: Any, temperature: float, settings: SampleSettings) -> None:
    """Refuse what has blown up without becoming infinite."""
    velocities, degrees = atoms.get_velocities() * units.fs, 3 * len(atoms)
    problem = too_fast(
        velocities,
        atoms.get_chemical_symbols(),
        temperature_of(velocities, atoms.get_masses(), degrees),
        settings.max_speed or default_max_speed(settings.timestep_fs),
        settings.max_temperature or default_max_temperature(temperature, degrees),
    )
    if problem and not settings.keep_going:
        raise NumericalError(
            f"the dynamics blew up: {problem}: a smaller timestep_fs, a lower temperature or a "
            "better starting structure is needed; keep_going=True (--keep-going) continues"
        )
    if problem:
        warnings.warn(f"{problem}: it continues, as keep_going asks", RuntimeWarning, stacklevel=2)


def _labelled(atoms: Any, else_: str) -> Atoms:
    # raw: a fixed atom's forces are not zeros
    energy = atoms.get_potential_energy(apply_constraint=False)
    forces = atoms.get_forces(apply_constraint=False)
    if not (np.isfinite(energy) and np.isfinite(forces).all()):
        raise NumericalError(else_)
    labels = {"energy": float(energy), "forces": forces}
    if atoms.pbc.all() and "stress" in atoms.calc.implemented_properties:
        labels["stress"] = atoms.get_stress(apply_constraint=False)
    snapshot = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    snapshot.calc = SinglePointCalculator(snapshot, **labels)  # type: ignore[no-untyped-call]
    return snapshot
