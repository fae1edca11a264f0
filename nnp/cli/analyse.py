"""``nnp analyse``: structure, motion and thermodynamics of trajectories."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnp.analysis import Analysis, AnalysisSettings, analyse, write_analysis
from nnp.analysis.analyse import check_bonds
from nnp.analysis.compare import differences, number_rows, read_reference
from nnp.analysis.thermodynamics import ENSEMBLES
from nnp.analysis.trajectories import Trajectory, open_trajectory
from nnp.analysis.trajectories.mdanalysis import SUFFIXES
from nnp.analysis.writing import prepare_folder
from nnp.cli.options import SubParsers, add_command, add_force, at_least_one, finite, positive
from nnp.cli.structures import add_structures, read_options
from nnp.cli.table import text_table
from nnp.errors import OptionError
from nnp.md import read_log
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib

_PAGE = "report.png"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = (
        "analyse trajectories: g(r), S(k), angles, diffusion, vibrations, averages and "
        "fluctuations with errors, drawn on one page"
    )
    parser = add_command(subparsers, "analyse", _run, summary)
    default = AnalysisSettings()
    add = parser.add_argument
    add(
        "trajectories",
        metavar="TRAJECTORY",
        nargs="+",
        help="extxyz, LAMMPS dump, traj, DCD, XTC, TRR, NetCDF, H5MD, PDB, or another format that "
        "ASE reads; several are drawn side by side",
    )
    add("--output", metavar="DIR", default="analysis", help="folder for all files")
    text = "names of the trajectories in pictures and tables (default: their files')"
    add("--names", nargs="+", metavar="NAME", default=argparse.SUPPRESS, help=text)
    add(
        "--topology",
        metavar="STRUCTURE",
        default=argparse.SUPPRESS,
        help="the atoms of DCD, XTC, TRR, NetCDF and H5MD, which hold no elements (default: "
        "PREFIX.final.extxyz of nnp md)",
    )
    add(
        "--log",
        metavar="CSV",
        nargs="+",
        default=argparse.SUPPRESS,
        help="log of nnp md, one for each trajectory (default: the .csv beside it)",
    )
    add(
        "--reference",
        metavar="FILE",
        nargs="+",
        default=[],
        help="curves to draw beside: a folder of nnp analyse, or a CSV with columns r_A,total or "
        "k_1_per_A,total",
    )
    add(
        "--skip",
        type=finite,
        metavar="SHARE",
        default=argparse.SUPPRESS,
        help="share of the frames to leave out at the beginning, 0 to 1 (default: until the "
        "energy is steady)",
    )
    text = "use every N-th frame"
    add("--every", type=at_least_one, metavar="N", default=default.every, help=text)
    text = "largest distance of g(r), Å"
    add("--r-max", type=positive, metavar="R", default=default.r_max, help=text)
    text = "width of the bins of g(r), Å"
    add("--bin-width", type=positive, metavar="DR", default=default.bin_width, help=text)
    add(
        "--structure-frames",
        type=at_least_one,
        metavar="N",
        default=default.structure_frames,
        help="at most so many frames for g(r) and angles; displacements use all",
    )
    add(
        "--bond",
        action="append",
        metavar="A-B=Å",
        default=[],
        help="longest bond between two elements, for angles, such as Si-O=2.2; may be given "
        "several times (default: the first minimum of g(r))",
    )
    add(
        "--frame-time",
        type=positive,
        metavar="FS",
        default=argparse.SUPPRESS,
        help="time between two frames, fs, where the file does not state it",
    )
    text = "ensemble of the run (default: told from energy and volume)"
    add("--ensemble", choices=ENSEMBLES, default=argparse.SUPPRESS, help=text)
    add(
        "--pressure",
        type=finite,
        metavar="BAR",
        default=argparse.SUPPRESS,
        help="pressure of the barostat, bar (default: that of the log, otherwise 1)",
    )
    add(
        "--viscosity",
        type=positive,
        metavar="MPAS",
        default=argparse.SUPPRESS,
        help="viscosity, mPa s; adds the finite-size correction of Yeh and Hummer to diffusion "
        "coefficients",
    )
    text = "blocks of time from which errors are estimated"
    add("--blocks", type=at_least_one, metavar="N", default=default.blocks, help=text)
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
    settings = _settings(arguments)
    for own in folders:
        prepare_folder(own, arguments.force, pages=() if own != folder else (_PAGE,))
    if folder not in folders:
        prepare_folder(folder, arguments.force, pages=(_PAGE,))
    references = [read_reference(path) for path in arguments.reference]
    logs = _logs(getattr(arguments, "log", None), len(paths))
    trajectories = _opened(arguments, paths, settings, logs)
    found = []
    for trajectory, log, name, own in zip(trajectories, logs, names, folders, strict=True):
        one = analyse(trajectory, settings, log, name=name, quiet=False)
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


def _opened(
    arguments: argparse.Namespace,
    paths: list[Path],
    settings: AnalysisSettings,
    logs: list[str | None],
) -> list[Trajectory]:
    """All of them: errors in the last one are reported before the first is analysed."""
    options = read_options(arguments, None)
    topology = getattr(arguments, "topology", None)
    found = [open_trajectory(p, options, _topology_of(p, paths, topology)) for p in paths]
    options.require_use(", ".join(map(str, paths)))
    for trajectory in found:
        check_bonds(settings, trajectory)
    for log in logs:
        if log is not None:
            read_log(log)
    return found


def _names(given: list[str] | None, paths: list[Path]) -> list[str]:
    if given is not None and len(given) != len(paths):
        raise OptionError(f"--names: {len(given)} for {len(paths)} trajectories: one for each")
    names = given or [path.stem for path in paths]
    for name in names:
        if len(names) > 1 and Path(name).name != name:
            raise OptionError(f"--names {name}: it is the name of a folder below --output: no /")
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
