"""``nnp predict``: energies and forces of structures in files, and errors against references."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_potential,
)
from nnp.cli.predict_in import is_predict_in, predict_in
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
    write_and_say,
)
from nnp.cli.units_of import UNKNOWN_RANGES
from nnp.committee import CommitteeEvaluation
from nnp.errors import NNPError
from nnp.evaluation import Evaluation, Extrapolation
from nnp.functions import describe
from nnp.io.structures import Labels, Reading, check_target
from nnp.io.structures.labels import PREDICTED_BY, REFERENCE
from nnp.metrics import PredictionErrors, ScaleCheck
from nnp.potential import Potential
from nnp.terminal import progress_bar
from nnp.values import counted

_TENTH = 0.1  # percent


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "compute energies and forces of structures, and errors where the file has labels"
    parser = add_command(subparsers, "predict", _run, summary)
    add_potential(parser)
    parser.add_argument(
        "structures",
        metavar="STRUCTURES",
        nargs="?",
        help="structures to evaluate: any format of docs/structures.md; n2p2's input.data is in "
        "the units of the potential's files; not needed where PATH is ænet's predict.in",
    )
    parser.add_argument(
        "--output", metavar="FILE", default="predicted.extxyz", help="where the results are written"
    )
    parser.add_argument(
        "--index", metavar="INDEX", default=":", help="which structures, such as 0, -1 or 10:20"
    )
    parser.add_argument(
        "--stress", action="store_true", help="compute the stress too (periodic structures)"
    )
    add_engine(parser)
    add_structures(parser, keys=True)
    add_force(parser)


@dataclass
class _Summary:
    """The lines printed at the end."""

    errors: PredictionErrors = field(default_factory=PredictionErrors)
    scale: ScaleCheck = field(default_factory=ScaleCheck)
    extrapolating: int = 0
    structures: int = 0
    atoms: int = 0
    worst: tuple[int, Extrapolation] | None = None
    deviation: tuple[int, float] | None = None


def _run(arguments: argparse.Namespace) -> None:
    if arguments.structures is None or is_predict_in(arguments.path):
        predict_in(arguments)
        return
    output = Path(arguments.output)
    check_target(output, arguments.force, labels=True)
    potential, units, own = load_potential_and_units(arguments)
    options = read_options(arguments, units, own_units=own)
    reading = read_and_say(arguments.structures, options, arguments.index)
    frames, summary = reading.frames, _Summary()
    results = list(_predict(potential, reading, arguments, summary))
    write_and_say(results, output, units, arguments.force, predictions=True)
    print(
        f"{counted(len(results), 'structure')}, {counted(sum(map(len, results)), 'atom')}: "
        f"results in {output}"
    )
    print("\n".join(summary.errors.lines() or ["no references in the file: no errors to print"]))
    if warning := summary.scale.warning("forces"):
        warnings.warn(f"{arguments.structures}: {warning}", stacklevel=2)
    print(_extrapolation_line(potential, frames, summary))
    if summary.deviation is not None:
        number, deviation = summary.deviation
        print(
            f"the members disagree most in structure {number}: {deviation:.4f} eV/Å on one force "
            "component; energy_deviation and forces_deviation are in the file"
        )


def _predict(
    potential: Potential, reading: Reading, arguments: argparse.Namespace, summary: _Summary
) -> Iterator[Atoms]:
    potential.engine(arguments.engine)  # an unknown one is an error before the bar appears
    frames = reading.frames
    bar = progress_bar(frames, unit="structure", disable=_quiet(frames))
    for number, atoms in enumerate(bar):
        labels = reading.labels[number]
        try:
            evaluation = potential.evaluate(atoms, arguments.engine, stress=arguments.stress)
        except NNPError as error:
            raise type(error)(f"{arguments.structures}, structure {number}: {error}") from error
        _account(summary, number, labels, evaluation)
        yield _with_results(atoms, labels, evaluation, arguments.path)


def _quiet(frames: list[Atoms]) -> bool | None:
    """No bar for a handful of structures; else let tqdm see whether a terminal is there."""
    return True if len(frames) < 5 else None


def _account(summary: _Summary, number: int, labels: Labels, evaluation: Evaluation) -> None:
    """Add one structure to the summary."""
    if labels.energy is not None and len(evaluation.energies):
        summary.errors.energy.add((evaluation.energy - labels.energy) / len(evaluation.energies))
    if labels.forces is not None and evaluation.forces is not None:
        summary.errors.forces.add(evaluation.forces - labels.forces)
        summary.scale.add(labels.forces, evaluation.forces)
    if labels.stress is not None and evaluation.stress is not None:
        summary.errors.stress.add(evaluation.stress - labels.stress)
    found = evaluation.extrapolations
    summary.atoms += found.n_atoms
    summary.structures += bool(found)
    worst = found.worst
    if worst and (summary.worst is None or abs(worst.relative) > abs(summary.worst[1].relative)):
        summary.worst = (number, worst)
    if isinstance(evaluation, CommitteeEvaluation) and evaluation.forces_deviation is not None:
        largest = float(evaluation.forces_deviation.max())
        if summary.deviation is None or largest > summary.deviation[1]:
            summary.deviation = (number, largest)


def _with_results(atoms: Atoms, labels: Labels, evaluation: Evaluation, name: str) -> Atoms:
    """A copy that ASE reads back with these results; labels are ``ref_*`` beside them.

    A committee's deviations are beside them, energy_deviation in ``info``, forces_deviation in
    ``arrays``; what an earlier prediction left is replaced.
    """
    result: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    for left in ("energy_deviation", "forces_deviation"):
        result.info.pop(left, None)
        result.arrays.pop(left, None)
    result.info[PREDICTED_BY] = name
    for label, value in labels.results().items():
        store = result.arrays if label == "forces" else result.info
        store[f"{REFERENCE}{label}"] = value
    if isinstance(evaluation, CommitteeEvaluation):
        result.info["energy_deviation"] = evaluation.energy_deviation
        result.arrays["forces_deviation"] = np.asarray(evaluation.forces_deviation)
    computed = {
        "energy": evaluation.energy,
        "energies": evaluation.energies,
        "forces": evaluation.forces,
        "stress": evaluation.stress,
    }
    known = {name: value for name, value in computed.items() if value is not None}
    result.calc = SinglePointCalculator(result, **known)  # type: ignore[no-untyped-call]
    return result


def _percent(share: float) -> str:
    """With its sign; of less than a tenth one digit.

    >>> _percent(0.441), _percent(-0.00012)
    ('+44.1', '-0.01')
    """
    percent = 100 * share
    return f"{percent:+.1f}" if abs(percent) >= _TENTH else f"{percent:+.1g}"


def _extrapolation_line(potential: Potential, frames: list[Atoms], summary: _Summary) -> str:
    if summary.worst is None:
        if not potential.knows_ranges:
            return UNKNOWN_RANGES
        return "no atom extrapolates: every function is inside its training range"
    number, worst = summary.worst
    symbol = frames[number].symbols[worst.atom]
    model = next(model for model in potential.models if model.symbol == symbol)
    return (
        f"extrapolating: {counted(summary.atoms, 'atom')} in "
        f"{counted(summary.structures, 'structure')}; worst: "
        f"structure {number}, atom {worst.atom} ({symbol}), function {worst.function + 1} "
        f"({describe(model.functions[worst.function])}) by {_percent(worst.relative)} % of its "
        "training range"
    )
