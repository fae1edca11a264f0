"""``nnp analyse``: structure, motion and thermodynamics of trajectories."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnp.analysis import Analysis, AnalysisSettings, analyse, write_analysis
from nnp.analysis.compare import differences, number_rows, read_reference
from nnp.analysis.thermodynamics import ENSEMBLES
from nnp.analysis.trajectories.mdanalysis import SUFFIXES
from nnp.analysis.writing import prepare_folder
from nnp.cli.options import SubParsers, add_command, add_force, at_least_one, finite, positive
from nnp.cli.structures import add_structures, read_options
from nnp.cli.table import text_table
from nnp.errors import OptionError
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib

_PAGE = "report.png"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = (
        "analyse trajectories: g(r), S(k), angles, diffusion, vibrations, averages, fluctuations, "
        "all with errors; one page of pictures, numbers as JSON and CSV"
    )
    parser = add_command(subparsers, "analyse", _run, summary)
    default = AnalysisSettings()
    add = parser.add_argument
    add(
        "trajectories",
        metavar="TRAJECTORY",
        nargs="+",
        help="extxyz, LAMMPS dump, traj, DCD, XTC, TRR, NetCDF, H5MD, PDB, or what ASE reads; "
        "several are compared on one page",
    )
    add("--output", metavar="DIR", default="analysis", help="folder of all files")
    add("--names", nargs="+", metavar="NAME", default=argparse.SUPPRESS, help="of the trajectories")
    add(
        "--topology",
        metavar="STRUCTURE",
        default=argparse.SUPPRESS,
        help="elements for DCD, XTC, TRR, NetCDF, H5MD (default: PREFIX.final.extxyz of nnp md)",
    )
    add(
        "--log",
        metavar="CSV",
        nargs="+",
        default=argparse.SUPPRESS,
        help="logs of nnp md, one per trajectory (default: the .csv beside it)",
    )
    add(
        "--reference",
        metavar="FILE",
        nargs="+",
        default=[],
        help="drawn beside: a folder of nnp analyse, or a CSV with r_A,total or k_1_per_A,total …",
    )
    add(
        "--skip",
        type=finite,
        metavar="SHARE",
        default=argparse.SUPPRESS,
        help="of the frames, cut at the beginning (default: until energies are steady)",
    )
    add("--every", type=at_least_one, default=default.every, help="take every so many-th frame")
    add("--r-max", type=positive, default=default.r_max, help="largest distance of g(r), Å")
    add("--bin-width", type=positive, default=default.bin_width, help="of g(r), Å")
    add(
        "--structure-frames",
        type=at_least_one,
        default=default.structure_frames,
        help="at most so many frames for g(r) and angles; displacements take all",
    )
    add(
        "--bond",
        action="append",
        metavar="A-B=Å",
        default=[],
        help="bonds for angles, such as Si-O=2.2 (default: first minima of g(r))",
    )
    add(
        "--frame-time",
        type=positive,
        metavar="FS",
        default=argparse.SUPPRESS,
        help="time between two frames, where the file does not say it",
    )
    add("--ensemble", choices=ENSEMBLES, default=argparse.SUPPRESS, help="(default: as it looks)")
    add(
        "--pressure",
        type=finite,
        default=argparse.SUPPRESS,
        help="of the barostat, bar (default: as the log says, else 1)",
    )
    add(
        "--viscosity",
        type=positive,
        metavar="MPA_S",
        default=argparse.SUPPRESS,
        help="adds the finite-size correction of Yeh and Hummer to diffusion coefficients, mPa s",
    )
    add("--blocks", type=at_least_one, default=default.blocks, help="of time, for errors")
    add_structures(parser)
    add_force(parser)


def _topology_of(path: Path, paths: list[Path], topology: str | None) -> str | None:
    """Of several trajectories, the topology is for those that have no elements."""
    needing = [other for other in paths if other.suffix.lower() in SUFFIXES]
    return topology if path in needing or not needing else None


def _run(arguments: argparse.Namespace) -> None:
    paths = [Path(path) for path in arguments.trajectories]
    names = _names(getattr(arguments, "names", None), paths)
    folder = Path(arguments.output)
    folders = [folder] if len(paths) == 1 else [folder / name for name in names]
    for own in folders:
        prepare_folder(own, arguments.force)
    references = [read_reference(path) for path in arguments.reference]
    logs = _logs(getattr(arguments, "log", None), len(paths))
    settings = _settings(arguments)
    options = read_options(arguments, None)
    found = []
    for path, log, name, own in zip(paths, logs, names, folders, strict=True):
        one = analyse(
            path,
            settings,
            log,
            _topology_of(path, paths, getattr(arguments, "topology", None)),
            options,
            name,
            quiet=False,
        )
        _say(one)
        write_analysis(one, own, arguments.force)
        found.append(one)
    everything = [*found, *references]
    print(text_table(*number_rows([one for one in everything if one.quantities])))
    _say_differences(everything)
    for own in folders:
        print(f"numbers and curves: {own}")
    if have_matplotlib():
        from nnp.pictures.analysis import plot_analyses

        plot_analyses(everything, folder / _PAGE)
        print(f"pictures: {folder / _PAGE}")
    else:
        print(NO_MATPLOTLIB)


def _names(given: list[str] | None, paths: list[Path]) -> list[str]:
    if given is not None and len(given) != len(paths):
        raise OptionError(f"--names: {len(given)} for {len(paths)} trajectories: one for each")
    names = given or [path.stem for path in paths]
    if len(set(names)) < len(names):
        raise OptionError(
            f"two trajectories are called {', '.join(sorted(names))}: tell them apart by --names"
        )
    return names


def _logs(given: list[str] | None, count: int) -> list[str | None]:
    if given is None:
        return [None] * count
    if len(given) != count:
        raise OptionError(f"--log: {len(given)} for {count} trajectories: one for each")
    return [*given]


def _settings(arguments: argparse.Namespace) -> AnalysisSettings:
    bonds = {}
    for text in arguments.bond:
        pair, _, value = text.partition("=")
        try:
            bonds[pair] = float(value)
        except ValueError:
            raise OptionError(
                f"--bond {text}: ELEMENT-ELEMENT=DISTANCE in Å, such as Si-O=2.2"
            ) from None
    return AnalysisSettings(
        skip=getattr(arguments, "skip", None),
        every=arguments.every,
        r_max=arguments.r_max,
        bin_width=arguments.bin_width,
        structure_frames=arguments.structure_frames,
        bonds=bonds,
        frame_time_fs=getattr(arguments, "frame_time", None),
        ensemble=getattr(arguments, "ensemble", None),
        pressure_bar=getattr(arguments, "pressure", None),
        viscosity_mpa_s=getattr(arguments, "viscosity", None),
        blocks=arguments.blocks,
    )


def _say(one: Analysis) -> None:
    about = one.about
    spacing = about["time between frames / ps"]
    every = "" if spacing is None else f", {1000 * spacing:.6g} fs apart"
    print(
        f"{about['trajectory']}: {about['frames taken']} of {about['frames in the file']} frames "
        f"taken{every}, {about['frames taken for structure']} for structure"
    )
    print(f"  cut: {about['cut']}")
    if "ensemble" in about:
        print(f"  ensemble: {about['ensemble']}")
    for note in one.notes:
        print(f"  note: {note}")


def _say_differences(analyses: list[Analysis]) -> None:
    if len(analyses) < 2:
        return
    rows = [
        [other.name, d.curve, d.function, f"{d.found:.4g}", f"{d.expected:.4g}".replace("nan", "")]
        for other in analyses[1:]
        for d in differences(analyses[0], other)
    ]
    if rows:
        print(f"root mean square differences from {analyses[0].name}, and what sampling would give")
        print(text_table(["", "curve", "of", "difference", "expected"], rows))
