"""``nnp train``: fit a potential to data, as a TOML file says."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnp.cli.options import UNITS_HELP, SubParsers, add_command, add_force, at_least_one
from nnp.errors import OptionError

if TYPE_CHECKING:
    from nnp.train import TrainingResult, TrainingSettings
    from nnp.train.data.findings import Finding

_SHOWN = 5
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "fit a potential to energies, forces and stresses; docs/training.md has the settings"
    parser = add_command(subparsers, "train", _run, summary)
    parser.add_argument(
        "config",
        metavar="CONFIG",
        help="TOML file, an input.nn with input.data beside it, or ænet's train.in with its "
        "generate.in",
    )
    parser.add_argument("--units", default=argparse.SUPPRESS, help=UNITS_HELP)
    parser.add_argument(
        "--from",
        dest="start",
        metavar="MODEL",
        default=argparse.SUPPRESS,
        help="go on from a finished potential, on new data; as [run] says unless told",
    )
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    parser.add_argument(
        "--members",
        type=at_least_one,
        default=argparse.SUPPRESS,
        help="networks to train, with different seeds; as [committee] says unless told",
    )
    parser.add_argument(
        "--device",
        default=argparse.SUPPRESS,
        help="cpu, cuda or cuda:N; as [run] says unless told",
    )
    parser.add_argument(
        "--threads",
        type=at_least_one,
        default=argparse.SUPPRESS,
        help="of engine, torch and BLAS; as [run] says unless told",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check the data, choose functions, say what time and memory the fit will take; no fit",
    )
    parser.add_argument(
        "--log-level",
        choices=("info", "warning"),
        default="info",
        help="warning: only what needs attention, no progress (the logs hold it)",
    )
    add_force(parser)


def _run(arguments: argparse.Namespace) -> int:
    from nnp import train
    from nnp.train.fit.trainer import INTERRUPTED

    if arguments.resume and arguments.force:
        raise OptionError("--resume continues a run and --force overwrites it: give one of them")
    settings = train.read_settings(arguments.config, getattr(arguments, "units", None))
    told = {"device": "device", "threads": "threads", "start": "from_"}
    given = {field: getattr(arguments, n) for n, field in told.items() if n in arguments}
    settings = replace(settings, run=replace(settings.run, **given))
    quiet = arguments.log_level == "warning"
    if quiet:
        logging.getLogger("nnp.io.structures").setLevel(logging.WARNING)
    if arguments.dry_run:
        _say_what_it_takes(settings, quiet)
        return 0
    members = getattr(arguments, "members", settings.committee.members)
    if members > 1:
        results = train.train_committee(settings, members, arguments.resume, arguments.force, quiet)
    else:
        results = [train.train(settings, arguments.resume, arguments.force, quiet)]
    stopped = results[-1].stopped
    if not train.join().writes:
        return _INTERRUPTED if stopped == INTERRUPTED else 0
    _print_findings(results[0].findings)
    for number, result in enumerate(results):
        name = f"member {number}: " if len(results) > 1 else ""
        print(f"{name}{_outcome(result)}")
    print(f"models, logs and checkpoints: {settings.run.output}")
    if Path(arguments.config).suffix == ".in":
        from nnp.train.config.train_in_files import leave_behind

        print("\n".join(leave_behind(Path(arguments.config), settings, results[0].potential)))
    if not stopped:
        return 0
    print(f"{stopped}: last.nnp is where it stopped; the same command with --resume goes on")
    return _INTERRUPTED if stopped == INTERRUPTED else 0


def _outcome(result: TrainingResult) -> str:
    """Best epoch and its errors."""
    rows = {int(row["epoch"]): row for row in result.rows}
    if not rows:
        return "no epoch was finished"
    best = rows[result.best_epoch]
    parts = [_line(part, best) for part in ("train", "valid") if f"{part}_loss" in best]
    return "\n".join([f"best epoch {result.best_epoch} of {max(rows)}", *parts])


def _say_what_it_takes(settings: TrainingSettings, quiet: bool) -> None:
    """``--dry-run``."""
    from nnp.train.fit.run import survey_of

    found = survey_of(settings, quiet)
    print(found.chosen.frames.summary())
    print("\n".join(found.lines()))
    _print_findings(found.chosen.findings)


def _print_findings(findings: list[Finding]) -> None:
    """What the checks of the data saw, which is the same for all members."""
    for finding in findings[:_SHOWN]:
        print(f"data: {finding}")
    if len(findings) > _SHOWN:
        print(f"data: {len(findings) - _SHOWN} more in findings.txt")


def _line(part: str, row: dict[str, float]) -> str:
    return (
        f"  {part}  energy MAE {row[f'{part}_energy_mae_mev']:.3f} "
        f"RMSE {row[f'{part}_energy_rmse_mev']:.3f} meV/atom  "
        f"forces MAE {row[f'{part}_force_mae']:.4f} RMSE {row[f'{part}_force_rmse']:.4f} eV/Å"
    )
