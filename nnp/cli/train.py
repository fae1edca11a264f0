"""``nnp train``: fit a potential to data, as a file of settings says or by defaults."""

from __future__ import annotations

import argparse
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from nnp.cli.options import SubParsers, add_command, add_force, add_units, at_least_one
from nnp.cli.reports import report_of_fit
from nnp.cli.train_data import (
    FromData,
    add_data_options,
    as_told,
    from_data,
    is_settings,
    keep_settings,
    refuse_data_options,
)
from nnp.errors import OptionError
from nnp.units import GPA

if TYPE_CHECKING:
    from nnp.train import TrainingResult, TrainingSettings
    from nnp.train.data.findings import Finding
    from nnp.train.fit.run import Sets

_SHOWN = 5
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "fit a potential to energies, forces and stresses"
    parser = add_command(subparsers, "train", _run, summary)
    parser.add_argument(
        "sources",
        metavar="CONFIG|DATA",
        nargs="+",
        help="labelled structures (files, folders and patterns): all settings are chosen for them, "
        "printed and written to fit.toml; or a file of settings: TOML (docs/training.md), n2p2's "
        "input.nn beside input.data, or ænet's train.in beside generate.in",
    )
    add_units(parser)
    parser.add_argument(
        "--from",
        dest="start",
        metavar="MODEL",
        default=argparse.SUPPRESS,
        help="start from a finished potential, to continue it on new data (default: [run] from)",
    )
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    parser.add_argument(
        "--members",
        type=at_least_one,
        metavar="N",
        default=argparse.SUPPRESS,
        help="size of a committee: fits with different seeds (default: [committee] members)",
    )
    parser.add_argument(
        "--device",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="cpu, cuda or cuda:N (default: [run] device)",
    )
    parser.add_argument(
        "--threads",
        type=at_least_one,
        metavar="N",
        default=argparse.SUPPRESS,
        help="threads of the engine, torch and BLAS (default: [run] threads)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="do not fit: check the data, choose functions, estimate time and memory",
    )
    parser.add_argument(
        "--log-level",
        choices=("info", "warning"),
        default="info",
        help="warning: print only what needs attention; progress is in the logs",
    )
    add_data_options(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> int:
    from nnp import train
    from nnp.train.fit.trainer import INTERRUPTED, ON_TARGET

    if arguments.resume and arguments.force:
        raise OptionError("--resume continues a run and --force overwrites it: give one of them")
    quiet = arguments.log_level == "warning"
    if quiet:
        logging.getLogger("nnp.io.structures").setLevel(logging.WARNING)
    settings, sets, found = _task(arguments, quiet)
    if arguments.dry_run:
        _say_what_it_takes(settings, sets, quiet, found)
        return 0
    members = _members(settings, arguments)
    how = (arguments.resume, arguments.force, quiet, sets, found is not None)
    if members > 1:
        results = train.train_committee(settings, members, *how)
    else:
        results = [train.train(settings, *how)]
    stopped, whole = results[-1].stopped, len(results) == members
    if not train.join().writes:
        return _INTERRUPTED if stopped == INTERRUPTED else 0
    _print_findings(results[0].findings, found)
    for number, result in enumerate(results):
        name = f"member {number}: " if len(results) > 1 else ""
        print(f"{name}{_outcome(result)}")
    print(f"models, logs and checkpoints: {settings.run.output}")
    if Path(arguments.sources[0]).suffix == ".in":
        from nnp.train.config.train_in_files import leave_behind

        path = Path(arguments.sources[0])
        print("\n".join(leave_behind(path, settings, results[0].potential)))
    if settings.run.report and results[-1].rows and whole:
        print("\n".join(_report(settings, results, sets, found)))
    if not quiet and results[-1].rows and whole:
        folder = Path(settings.run.output)
        print(f"run it: nnp md {folder if members > 1 else folder / 'best.nnp'} START.xyz")
    if not stopped:
        return 0
    if stopped == ON_TARGET:
        print("run.target is reached: last.nnp is the model that did")
        return 0
    if not whole:
        print(f"{len(results)} of {members} members have begun: no committee yet")
    print(f"{stopped}: last.nnp is where it stopped; the same command with --resume continues")
    return _INTERRUPTED if stopped == INTERRUPTED else 0


def _task(
    arguments: argparse.Namespace, quiet: bool
) -> tuple[TrainingSettings, Sets, FromData | None]:
    """Settings and data; and, where there were no settings, what was chosen of the data."""
    from nnp import train
    from nnp.train.data.sets import read_data

    if is_settings(arguments.sources):
        refuse_data_options(arguments)
        settings = train.read_settings(arguments.sources[0], getattr(arguments, "units", None))
        settings = as_told(settings, arguments)
        if not arguments.dry_run:
            _require_room(settings, arguments)
        return settings, read_data(settings.data), None
    found = from_data(arguments)
    if not arguments.dry_run:
        _require_room(found.settings, arguments)
    if train.join().writes:
        name = keep_settings(found, arguments)
        if not quiet:
            print("\n".join(["", *found.seen(), "", *found.lines(), ""]))
            print(f"all settings: {name}", flush=True)
    return found.settings, found.sets, found


def _members(settings: TrainingSettings, arguments: argparse.Namespace) -> int:
    found: int = getattr(arguments, "members", settings.committee.members)
    return found


def _require_room(settings: TrainingSettings, arguments: argparse.Namespace) -> None:
    from nnp.train import require_room

    require_room(settings, arguments.resume, arguments.force, _members(settings, arguments))


def _report(
    settings: TrainingSettings,
    results: list[TrainingResult],
    sets: Sets,
    found: FromData | None,
) -> list[str]:
    """Judge the best model, or the committee; lines to print."""
    from nnp.committee import Committee

    folder = Path(settings.run.output)
    several = len(results) > 1
    log = folder / ("member_0/log.csv" if several else "log.csv")
    best = Committee.of([r.potential for r in results]) if several else results[0].potential
    notes = {"Findings": [str(finding) for finding in results[0].findings] or ["none"]}
    if found is not None:
        notes = {"Choices": found.lines(), "Data": found.seen()}
    return report_of_fit(best, sets, folder, log, notes)


def _outcome(result: TrainingResult) -> str:
    """Best epoch and its errors."""
    rows = {int(row["epoch"]): row for row in result.rows}
    if not rows:
        return "no epoch was finished"
    best = rows[result.best_epoch]
    parts = [_line(part, best) for part in ("train", "valid") if f"{part}_loss" in best]
    judged, whole = best.get("train_structures", math.nan), result.potential.provenance
    if judged < whole["structures"]:
        parts[0] += f"\n         (of {judged:.0f} structures, drawn from {whole['structures']})"
    return "\n".join([f"best epoch {result.best_epoch} of {max(rows)}", *parts])


def _say_what_it_takes(
    settings: TrainingSettings, sets: Sets, quiet: bool, told: FromData | None
) -> None:
    """``--dry-run``."""
    from nnp.train.fit.run import survey_of

    found = survey_of(settings, quiet, sets)
    print(found.chosen.frames.summary())
    print("\n".join(found.lines()))
    _print_findings(found.chosen.findings, told)


def _print_findings(findings: list[Finding], told: FromData | None) -> None:
    """What the checks of the data saw, which is the same for all members.

    Args:
        findings: all.
        told: a fit of data alone, whose report has told those of the training set: others are of
            the validation set, such as copies of training structures.
    """
    if told is not None:
        known = {(finding.where, finding.kind) for finding in told.report.findings}
        findings = [f for f in findings if f.kind and (f.where, f.kind) not in known]
    for finding in findings[:_SHOWN]:
        print(f"data: {finding}")
    if len(findings) > _SHOWN:
        print(f"data: {len(findings) - _SHOWN} more in findings.txt")


def _line(part: str, row: dict[str, float]) -> str:
    """Errors of one set; those of labels that it has."""
    energy, force = row[f"{part}_energy_mae_mev"], row[f"{part}_force_mae"]
    stress = row[f"{part}_stress_rmse"]
    known = []
    if not math.isnan(energy):
        rmse = row[f"{part}_energy_rmse_mev"]
        known.append(f"energy  MAE {energy:.3f}   RMSE {rmse:.3f} meV/atom")
    if not math.isnan(force):
        known.append(f"forces  MAE {force:.4f}  RMSE {row[f'{part}_force_rmse']:.4f} eV/Å")
    if not math.isnan(stress):
        known.append(f"stress  RMSE {stress / GPA:.3f} GPa")
    return f"  {part}  " + "\n         ".join(known)
