"""The same molecular dynamics in OpenMM and LAMMPS, in turn, over several sizes.

Each repetition runs one block of each subject: from the same structure, with velocities of the same
temperature, some steps to warm up, then steps that are timed (in LAMMPS by its own "Loop time").
NVE, the same time step, and neighbour lists with the same skin that are rebuilt as soon as an atom
has moved half of it. The number of steps in a block follows from the subject's speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from beside_lammps.subjects import Subject
from nnp.bench.agreement import Difference, Judge
from nnp.bench.lammps import TIME_LIMIT
from nnp.bench.lammps_script import Conditions
from nnp.bench.measurement import Measurement, from_times
from nnp.errors import NNPError, UnavailableError
from nnp.structure import Structure

_PILOT_STEPS, _FEWEST_STEPS, _MOST_STEPS = 10, 5, 20_000
_WARM_UP_SHARE = 0.1


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        conditions: of the dynamics.
        repeats: blocks of each subject at each size, in turn.
        block_seconds: how long a block should take; it has five steps at least.
        time_limit: s; a block that would take longer, by the speed at the size before, is not run.
    """

    conditions: Conditions
    repeats: int = 3
    block_seconds: float = 2.0
    time_limit: float = TIME_LIMIT


@dataclass
class _Size:
    """What is known of one size while it is being measured."""

    structure: Structure
    steps: dict[str, int]
    times: dict[str, list[tuple[float, float]]]
    differences: dict[str, Difference]


def compare(
    subjects: Sequence[Subject],
    structures: Sequence[Structure],
    plan: Plan,
    tell: Callable[[str], None],
    judge: Judge | None = None,
) -> Iterator[list[Measurement]]:
    """Measure size by size, smallest first.

    Args:
        subjects: what to measure.
        structures: one per size.
        plan: how.
        tell: gets a message for each subject that cannot be measured; one that is not there at all
            is left out of all further sizes. And one on what agrees.
        judge: of what the subjects compute before they are timed; None: nobody asks.

    Yields:
        The measurements of a size.

    Raises:
        KeyboardInterrupt: after what was measured of the size has been yielded.
    """
    alive, speeds = list(subjects), dict[str, float]()
    for structure in sorted(structures, key=len):
        size, interrupted = _Size(structure, {}, {}, {}), False
        try:
            _measure(alive, size, plan, speeds, tell, judge)
        except KeyboardInterrupt:
            interrupted = True
        yield [_measurement(s, size) for s in subjects if size.times.get(s.name)]
        if interrupted:
            raise KeyboardInterrupt


def _measure(
    alive: list[Subject],
    size: _Size,
    plan: Plan,
    speeds: dict[str, float],
    tell: Callable[[str], None],
    judge: Judge | None,
) -> None:
    """Fill the times of a size, the subjects in turn."""
    atoms, now = len(size.structure), list(alive)
    if judge is not None:
        judge.prepare(size.structure)
    for repeat in range(-1, plan.repeats):
        for subject in list(now):
            try:
                if repeat < 0:
                    _begin(subject, size, plan, speeds, judge)
                    continue
                steps = size.steps[subject.name]
                found = subject.block(_warm_up(steps), steps)
            except NNPError as error:
                tell(f"{subject.name}, {atoms} atoms: not measured, {error}")
                now.remove(subject)
                if isinstance(error, UnavailableError):
                    alive.remove(subject)
                continue
            size.times.setdefault(subject.name, []).append(found)
            speeds[subject.name] = atoms / found[0]
        if repeat < 0 and size.differences:
            tell(agreed(atoms, size.differences))


def _begin(
    subject: Subject, size: _Size, plan: Plan, speeds: dict[str, float], judge: Judge | None
) -> None:
    """Everything before the first timed block."""
    subject.prepare(size.structure)
    answer = None if judge is None else subject.answer(judge.structure)
    if judge is not None and answer is not None:
        size.differences[subject.name] = judge.difference(answer)
    size.steps[subject.name] = _block_steps(subject, len(size.structure), plan, speeds)


def _block_steps(subject: Subject, atoms: int, plan: Plan, speeds: dict[str, float]) -> int:
    """As many as fit, by the speed at the size before or else of some first steps."""
    if subject.name not in speeds:
        seconds, _ = subject.block(_FEWEST_STEPS, _PILOT_STEPS)
        speeds[subject.name] = atoms / seconds
    fitting = round(plan.block_seconds * speeds[subject.name] / atoms)
    steps = min(max(fitting, _FEWEST_STEPS), _MOST_STEPS)
    expected = (_warm_up(steps) + steps) * atoms / speeds[subject.name]
    if expected > plan.time_limit:
        raise NNPError(
            f"{steps} steps would take about {expected:.0f} s; take fewer atoms or a longer "
            "--time-limit"
        )
    return steps


def _warm_up(steps: int) -> int:
    return max(_FEWEST_STEPS, round(_WARM_UP_SHARE * steps))


def _measurement(subject: Subject, size: _Size) -> Measurement:
    steps, times = size.steps[subject.name], size.times[subject.name]
    details = subject.details | {
        "block_steps": steps,
        "processor_seconds": [processor for _, processor in times],
        "seconds_per_step": [wall for wall, _ in times],
    }
    if subject.name in size.differences:
        found = size.differences[subject.name]
        details["energy_difference_ev_per_atom"] = found.energy
        details["force_difference_ev_per_angstrom"] = found.force
    n_atoms = details.pop("n_atoms", len(size.structure))
    return from_times(subject.name, n_atoms, [wall for wall, _ in times], details)


def agreed(n_atoms: int, differences: Mapping[str, Difference]) -> str:
    """For the reader of a table.

    >>> agreed(8, {"a": Difference(1e-15, 3e-14), "b": Difference(2e-12, 1e-12)})
    '8 atoms: the same energies and forces, within 2e-12 eV/atom and 1e-12 eV/Å: a, b'
    """
    energy = max(found.energy for found in differences.values())
    force = max(found.force for found in differences.values())
    return (
        f"{n_atoms} atoms: the same energies and forces, within {energy:.1g} eV/atom and "
        f"{force:.1g} eV/Å: {', '.join(differences)}"
    )
