"""``nnp doctor``: what a data set holds and what looks wrong with it, before any fit."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_data_units,
    add_force,
    add_group_key,
    data_units,
)
from nnp.cli.structures import add_structures, label_keys, read_options
from nnp.errors import OutputExistsError
from nnp.io.files import replacing
from nnp.pictures.data import draw_data
from nnp.pictures.figure import check_picture
from nnp.train.data.dataset import Dataset
from nnp.train.data.doctor import examine


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "check labelled structures before a fit: what they hold and what looks wrong"
    parser = add_command(subparsers, "doctor", _run, summary, prints=True)
    parser.add_argument(
        "data", metavar="DATA", nargs="+", help="files, folders and patterns of labelled structures"
    )
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON too")
    parser.add_argument("--picture", metavar="FILE", help="draw energies, forces and volumes")
    add_group_key(parser)
    add_data_units(parser)
    add_structures(parser, keys=True)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> int:
    for name in filter(None, (arguments.json, arguments.picture)):
        if Path(name).exists() and not arguments.force:
            raise OutputExistsError(
                f"{name} exists: choose another name, or overwrite it (--force)"
            )
    if arguments.picture:
        check_picture(arguments.picture)
    keys = label_keys(arguments, group=arguments.group_key)
    options = read_options(arguments, data_units(arguments), keys, "units" in arguments)
    dataset = Dataset.read(arguments.data, keys, options=options)
    report = examine(dataset)
    print("\n".join(report.lines()))
    if arguments.json:
        with replacing(arguments.json, force=True) as scratch:
            text = json.dumps(report.table(), indent=1, ensure_ascii=False)
            scratch.write_text(text + "\n", encoding="utf-8")
        print(f"full report: {arguments.json}")
    if arguments.picture:
        draw_data(dataset, arguments.picture)
        print(f"picture: {arguments.picture}")
    return 1 if report.problem else 0
