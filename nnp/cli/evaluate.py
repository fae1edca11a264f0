"""``nnp evaluate``: errors of a potential over labelled structures, pictures, one HTML page."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from nnp.cli.evaluate_epochs import kept_models, write_epochs
from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_group_key,
    add_potential,
)
from nnp.cli.reports import write
from nnp.cli.structures import add_structures, label_keys, load_potential_and_units, read_options
from nnp.cli.table import text_table
from nnp.errors import OptionError, OutputExistsError
from nnp.io.files import check_can_be
from nnp.metrics import ScaleCheck
from nnp.pictures.report import Background, read_learning
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import evaluate
from nnp.train.data.inputs_seen import inputs_seen
from nnp.train.data.judge import advice
from nnp.values import counted


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "compare a potential with labelled structures: errors per group, pictures, a report"
    parser = add_command(subparsers, "evaluate", _run, summary)
    add_potential(parser)
    parser.add_argument(
        "data", metavar="DATA", nargs="+", help="files, folders and patterns of labelled structures"
    )
    parser.add_argument(
        "--output", metavar="DIR", default="evaluation", help="folder for report and pictures"
    )
    parser.add_argument(
        "--log", metavar="CSV", help="log.csv of the training run, for its learning curves"
    )
    parser.add_argument(
        "--epochs",
        metavar="DIR",
        help="folder of a fit that kept its models (run.keep_every): draw their errors over "
        "the epochs",
    )
    add_group_key(parser)
    add_engine(parser)
    add_structures(parser, keys=True)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    folder = Path(arguments.output)
    if (folder / "report.html").exists() and not arguments.force:
        raise OutputExistsError(f"{folder} holds a report: choose another --output, or add --force")
    check_can_be(folder)
    if arguments.log and arguments.epochs:
        raise OptionError("--epochs reads the log of its folder: leave --log out")
    if arguments.log:
        read_learning(arguments.log)
    models = kept_models(arguments.epochs) if arguments.epochs else {}
    potential, units, own = load_potential_and_units(arguments)
    keys = label_keys(arguments, group=arguments.group_key)
    options = read_options(arguments, units, keys, own)
    dataset = Dataset.read(arguments.data, keys, units, options=options)
    report = evaluate(potential, dataset, arguments.engine, quiet=False)
    check, forces = ScaleCheck(), report.comparisons["forces"]
    check.add(forces.reference, forces.predicted)
    if warning := check.warning("forces"):
        warnings.warn(f"{', '.join(arguments.data)}: {warning}", stacklevel=2)
    print(dataset.summary())
    print(text_table(*report.table()))
    print(
        f"{counted(len(report.extrapolating), 'structure')} with atoms outside the training range"
    )
    inputs = inputs_seen(potential, (frame.structure for frame in dataset))
    log = arguments.log
    if models:
        log = str(write_epochs(models, dataset, folder, arguments.engine))
    background = Background(log=log, inputs=inputs)
    lines = write(report, folder, f"{arguments.path}: {dataset.summary()}", background)
    print("\n".join([*lines, *(f"next: {step}" for step in advice(report, inputs=inputs))]))
