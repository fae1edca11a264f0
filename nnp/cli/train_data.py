"""``nnp train DATA``: from labelled structures alone to settings, with what was seen and why."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnp.cli.options import add_group_key, at_least_one, positive, seconds
from nnp.cli.structures import add_structures, label_keys
from nnp.errors import NNPError, OptionError, OutputExistsError
from nnp.train.data.dataset import Dataset
from nnp.train.data.doctor import DataReport, examine, folded
from nnp.train.data.findings import DEFAULT_DROP, KINDS, require_kinds
from nnp.train.data.sets import DataSettings, SplitSettings, part

if TYPE_CHECKING:
    from nnp.train import TrainingSettings
    from nnp.train.config.defaults import Choice

_SETTINGS = (".toml", ".nn", ".in")
# What only makes sense beside data; in a file of settings it stands already.
_ONLY_WITH_DATA = {
    "output": "run.output",
    "epochs": "run.epochs",
    "time": "run.max_time",
    "zbl": "baseline.zbl",
    "cutoff": "functions.generate.cutoff",
    "family": "functions.generate.family",
    "validation": "data.validation",
    "drop": "data.drop",
    "keep": "data.drop",
    "energy_key": "data.keys.energy",
    "forces_key": "data.keys.forces",
    "stress_key": "data.keys.stress",
    "virial_key": "data.keys.virial",
    "group_key": "data.keys.group",
    "types": "data.types",
    "lammps_units": "data.lammps_units",
}


@dataclass(frozen=True, eq=False)
class FromData:
    """A fit of data alone.

    Attributes:
        choice: settings and reasons.
        sets: training and validation set, read already.
        report: what was seen of the data.
    """

    choice: Choice
    sets: tuple[Dataset, Dataset]
    report: DataReport

    @property
    def settings(self) -> TrainingSettings:
        """Of the fit."""
        return self.choice.settings

    def seen(self) -> list[str]:
        """The report of the data, and what of it this fit leaves out."""
        return self.report.lines(self.settings.data.drop)

    def lines(self) -> list[str]:
        """The choice with its reasons, and what a potential that has learned nothing does."""
        known = self.report.facts
        rows = dict(self.choice.reasons)
        nothing = []
        if known.energy_rest is not None:
            nothing.append(f"{1e3 * known.energy_rest:.1f} meV/atom")
        if known.forces is not None:
            nothing.append(f"{known.forces.mae:.3f} eV/Å")
        rows["to beat"] = f"{', '.join(nothing)}: MAE with one energy per element and no forces"
        return [line for name, text in rows.items() for line in folded(name, text)]


def is_settings(sources: Sequence[str]) -> bool:
    """Whether the words name one file of settings, not data."""
    if len(sources) != 1:
        return False
    path = Path(sources[0])
    if path.suffix in _SETTINGS:
        return True
    try:
        head = path.read_bytes()[:65536] if path.is_file() else b""
    except OSError:
        return False
    return re.search(rb"^\s*\[data\]", head, re.MULTILINE) is not None


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Options of a fit of data alone."""
    group = parser.add_argument_group("with labelled structures", "Not with a file of settings.")
    add, off = group.add_argument, argparse.SUPPRESS
    add("--output", default=off, metavar="DIR", help="folder for the models (default: training)")
    text = "where the settings are written (default: fit.toml)"
    add("--settings", default=off, metavar="FILE", help=text)
    text = "structures to validate on (default: a tenth of the data)"
    add("--validation", default=off, nargs="+", metavar="DATA", help=text)
    text = "functions: moments or behler (default: moments)"
    add("--family", default=off, metavar="NAME", help=text)
    text = "cutoff, Å (default: by the number of neighbours)"
    add("--cutoff", default=off, type=positive, metavar="Å", help=text)
    text = "epochs (default: by data and time)"
    add("--epochs", default=off, type=at_least_one, metavar="N", help=text)
    add(
        "--time",
        default=off,
        type=seconds,
        metavar="TIME",
        help="time for the fit, such as 90s, 30min or 2h: optimiser and epochs are chosen for it, "
        "and the fit stops then (default: planned for half an hour of one core)",
    )
    add(
        "--zbl",
        action="store_true",
        default=off,
        help="fit on top of ZBL's repulsion, which acts below the length of a bond: for collisions",
    )
    kinds = ", ".join(KINDS)
    add("--drop", default=off, nargs="+", metavar="KIND", help=f"leave these out as well: {kinds}")
    left_out = ", ".join(DEFAULT_DROP)
    add(
        "--keep",
        default=off,
        nargs="+",
        metavar="KIND",
        help=f"keep these, which are left out by default: {left_out}",
    )
    add_group_key(group, off)
    add_structures(parser, keys=True)


def refuse_data_options(arguments: argparse.Namespace) -> None:
    """Options that a file of settings has no use for.

    Raises:
        OptionError: one is given.
    """
    for name, key in _ONLY_WITH_DATA.items():
        if hasattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{option} is for data: write {key} into {arguments.sources[0]}")


def from_data(arguments: argparse.Namespace) -> FromData:
    """Read, look, choose.

    Raises:
        FileFormatError: no data, or files that cannot be read.
        StructureError: nothing to learn from.
        OptionError: unknown kinds or families.
    """
    from nnp.train.config.defaults import Wishes, choose_settings
    from nnp.train.fit.settings import CommitteeSettings

    for source in arguments.sources:
        if Path(source).suffix in _SETTINGS and Path(source).is_file():
            raise OptionError(f"{source} is a file of settings: give it alone, it names its data")
    data = _data_settings(arguments)
    found = Dataset.read(data.train, data.keys, options=data.options)
    report = examine(found)
    if report.problem:
        raise NNPError(f"{report.problem} (nnp doctor shows the data)")
    if "energy" not in report.facts.labels and "forces" not in report.facts.labels:
        raise NNPError(f"{', '.join(data.train)}: stresses alone are not enough to learn from")
    wishes = Wishes(
        getattr(arguments, "family", None),
        getattr(arguments, "cutoff", None),
        getattr(arguments, "epochs", None),
        getattr(arguments, "time", None),
        getattr(arguments, "output", "training"),
        getattr(arguments, "zbl", False),
    )
    choice = choose_settings(data, report.facts, wishes, _stress_is_sound(found, report))
    if report.facts.structures < 2:
        raise NNPError(
            f"{', '.join(data.train)} holds one structure: a fit needs at least some tens; nnp "
            "augment and nnp sample make more"
        )
    settings = as_told(choice.settings, arguments)
    committee = CommitteeSettings(getattr(arguments, "members", 1))
    choice = replace(choice, settings=replace(settings, committee=committee))
    if choice.settings.run.from_ is not None:
        choice.reasons["continues from"] = (
            f"{choice.settings.run.from_}: functions, networks and energies are "
            "those of this potential; those above are for elements that it lacks"
        )
    return FromData(choice, part(choice.settings.data, found), report)


def as_told(settings: TrainingSettings, arguments: argparse.Namespace) -> TrainingSettings:
    """Settings with what other options say, so that ``fit.toml`` has it too."""
    told = {"device": "device", "threads": "threads", "start": "from_"}
    given = {field: getattr(arguments, n) for n, field in told.items() if n in arguments}
    return replace(settings, run=replace(settings.run, **given))


def keep_settings(found: FromData, arguments: argparse.Namespace) -> str:
    """Write fit.toml, or leave one that says the same; its name.

    Raises:
        OutputExistsError: there is another.
    """
    from nnp.train.config.write import write_settings

    name = str(getattr(arguments, "settings", "fit.toml"))
    path = Path(name)
    if path.exists() and not (arguments.force or arguments.resume):
        raise OutputExistsError(
            f"{path} exists: train with it (nnp train {path}), name another (--settings), or "
            "overwrite it (--force)"
        )
    head = [f"nnp train {' '.join(arguments.sources)}", ""]
    head += [f"{name}: {reason}" for name, reason in found.choice.reasons.items()]
    if not arguments.resume or not path.exists():
        write_settings(found.settings, path, head, force=True)
    return name


def _stress_is_sound(dataset: Dataset, report: DataReport) -> bool:
    known = [frame for frame in dataset if frame.stress is not None]
    periodic = all(frame.structure.pbc.all() for frame in known)
    wrong = any(finding.where == "stresses" for finding in report.findings)
    return 2 * len(known) >= len(dataset) > 0 and periodic and not wrong


def _data_settings(arguments: argparse.Namespace) -> DataSettings:
    asked = require_kinds(getattr(arguments, "drop", ()), "--drop")
    kept = require_kinds(getattr(arguments, "keep", ()), "--keep")
    if both := set(asked) & set(kept):
        raise OptionError(f"{', '.join(sorted(both))} is in --drop and in --keep")
    return DataSettings(
        train=tuple(arguments.sources),
        validation=tuple(getattr(arguments, "validation", ())),
        units=getattr(arguments, "units", None),
        split=SplitSettings(),
        keys=label_keys(arguments, getattr(arguments, "group_key", "group")),
        types=getattr(arguments, "types", None),
        lammps_units=getattr(arguments, "lammps_units", None),
        any_geometry=arguments.any_geometry,
        drop=tuple(k for k in KINDS if (k in DEFAULT_DROP or k in asked) and k not in kept),
    )
