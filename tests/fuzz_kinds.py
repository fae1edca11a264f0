"""Every kind of file that the package reads: a small valid one, and what a user does with it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

import nnp
from nnp.io.structures import read_structures
from nnp.structure import Structure
from nnp.testing import random_potential

FAMILIES = ("radial", "compact_radial", "angular_narrow")
TRIMER = Structure(
    np.array([[0.0, 0, 0], [1.6, 0, 0], [0, 1.7, 0]]), [8, 1, 1], np.eye(3), np.zeros(3, bool)
)


def potential(seed=0):
    return random_potential(("H", "O"), seed, FAMILIES)


def frames():
    """Two periodic waters with labels, velocities."""
    found = []
    for number in range(2):
        atoms = Atoms(
            "OH2",
            positions=[[1, 1, 1], [1.96, 1, 1], [0.76, 1.93, 1]],
            cell=[9, 9.5, 10],
            pbc=True,
        )
        atoms.rattle(0.02, seed=number)
        atoms.calc = SinglePointCalculator(
            atoms, energy=-14.0 - number, forces=np.full((3, 3), 0.1), stress=np.full(6, 0.01)
        )
        found.append(atoms)
    return found


# ---- readers --------------------------------------------------------------------------------


def load_and_use(path):
    """As ``nnp info`` and one evaluation."""
    from nnp.cli.info import _report

    found = nnp.load(path)
    "\n".join(_report(found, str(path))).encode()
    found.evaluate(TRIMER, threads=1)


def open_in_c(path):
    """As a program in C: model and members of a file in memory, and an engine of each."""
    import ctypes as ct

    from nnp.engines import _library as c

    library, failure, handle = c.load_library(), c.Failure(), ct.c_void_p()
    data = Path(path).read_bytes()
    library.nnp_model_from_memory(data, len(data), ct.byref(handle), ct.byref(failure))
    failure.raise_any()
    members = [library.nnp_model_member(handle, k) for k in range(_members(library, handle))]
    for model in (handle, *map(ct.c_void_p, members)):
        engine, refusal = ct.c_void_p(), c.Failure()
        options = c.Options(0, 1, -1.0, 0)
        library.nnp_engine_create(model, ct.byref(options), ct.byref(engine), ct.byref(refusal))
        library.nnp_engine_destroy(engine)
        library.nnp_model_release(model)
        refusal.raise_any()


def _members(library, handle):
    return min(int(library.nnp_model_n_members(handle)), 100)


def read_frames(path):
    for atoms in read_structures(path):
        len(atoms)


def read_toml(path):
    from nnp.train.config.read import read_settings

    read_settings(path)


def read_checkpoint(path):
    from nnp.train.fit.checkpoint import read_checkpoint

    read_checkpoint(path, "fingerprint")


def read_system(path):
    """As a teacher: a Context, and one evaluation."""
    from nnp.openmm.system_calculator import SystemCalculator

    atoms = frames()[0]
    SystemCalculator(path, platform="Reference").calculate(atoms)


def read_restart(path):
    """As ``nnp md --restart``, in new files."""
    _runner(Path(path).parent / "again", Path(path))


def _runner(folder, restart=None, steps=30):
    from nnp.md import MDSettings, Outputs, Runner

    settings = MDSettings(steps=steps, log_interval=5, frame_interval=5, restart_interval=10)
    outputs = Outputs.named(folder / "r")
    return Runner(_system(), frames()[0], settings, outputs, "Reference", restart)


# ---- makers ---------------------------------------------------------------------------------


def model(folder):
    potential().save(folder / "m.nnp")
    return folder / "m.nnp", ["m.nnp"]


def committee(folder):
    nnp.Committee.of([potential(0), potential(1)]).save(folder / "c.nnp")
    return folder / "c.nnp", ["c.nnp"]


def first_version(folder):
    """A model file as version 1 had it: without the arrays for C."""
    import io
    import json
    import zipfile

    from nnp.io.model import to_bytes

    with zipfile.ZipFile(io.BytesIO(to_bytes(potential()))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members.pop("header.json")) | {"version": 1}
    members.pop("arrays.bin")
    with zipfile.ZipFile(folder / "m.nnp", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for name, content in members.items():
            archive.writestr(name, content)
    return folder / "m.nnp", ["m.nnp"]


def directory(folder):
    from n2p2_files import one_cutoff

    nnp.io.n2p2.write(one_cutoff(potential()), folder / "p", "atomic")
    return folder / "p", sorted(f"p/{path.name}" for path in (folder / "p").iterdir())


def aenet(form):
    def make(folder):
        import aenet_files

        (folder / "p").mkdir()
        names = []
        for number, element in enumerate(("O", "H")):
            items = aenet_files.record(element, number, types=("O", "H"))
            names.append(f"p/{element}{form}")
            data = aenet_files.binary(items) if form == ".nn" else aenet_files.text(items).encode()
            (folder / names[-1]).write_bytes(data)
        return folder / "p", names

    return make


def structures(name, form=None):
    def make(folder):
        path = folder / name
        if form == "n2p2":
            from nnp.io.structures import write_structures

            write_structures(frames(), path)
        else:
            many = form not in ("vasp", "gromacs", "lammps-data", "gen", "xsf")
            extra = {"masses": True} if form == "lammps-data" else {}
            write(path, frames() if many else frames()[0], format=form, **extra)
        return path, [name]

    return make


def dump(folder):
    """Of LAMMPS, with a column of elements."""
    lines = ["ITEM: TIMESTEP", "0", "ITEM: NUMBER OF ATOMS", "3", "ITEM: BOX BOUNDS pp pp pp"]
    lines += ["0 9", "0 9.5", "0 10", "ITEM: ATOMS id type element x y z fx fy fz"]
    lines += ["1 1 O 1 1 1 .1 .1 .1", "2 2 H 1.96 1 1 .1 0 0", "3 2 H .76 1.93 1 0 0 .1"]
    (folder / "s.lammpstrj").write_text("\n".join(lines) + "\n")
    return folder / "s.lammpstrj", ["s.lammpstrj"]


def toml(folder):
    from nnp.io.structures import write_structures

    write_structures(frames() * 5, folder / "data.extxyz")
    text = """\
[data]
train = ["data.extxyz"]

[data.split]
fraction = 0.2

[functions]
generate = { cutoff = 6.0 }

[network]
hidden = [5, 5]

[optimizer.kalman]

[run]
epochs = 2
output = "fit"
"""
    (folder / "fit.toml").write_text(text)
    return folder / "fit.toml", ["fit.toml"]


def input_nn(folder):
    from damaged_files import INPUT

    from nnp.io.structures import write_structures

    write_structures(frames() * 3, folder / "input.data")
    (folder / "input.nn").write_text(INPUT + "epochs 2\nupdater_type 1\nkalman_type 0\n")
    return folder / "input.nn", ["input.nn", "input.data"]


def checkpoint(folder):
    import torch

    from nnp.train.fit.checkpoint import Checkpoint, write_checkpoint

    theta = torch.arange(5.0, dtype=torch.float64)
    made = Checkpoint(3, theta, theta, 0.5, 2, {"p": np.eye(5)}, "fingerprint", [{"epoch": 1.0}])
    write_checkpoint(made, folder / "checkpoint.npz")
    return folder / "checkpoint.npz", ["checkpoint.npz"]


def restart(folder):
    (folder / "run").mkdir()
    runner = _runner(folder / "run", steps=20)
    runner.run()
    return folder / "run" / "r.restart", ["run/r.restart"]


def _system():
    """A water molecule by charges, bonds and a table, in a box."""
    import openmm

    made = openmm.System()
    made.setDefaultPeriodicBoxVectors([0.9, 0, 0], [0, 0.95, 0], [0, 0, 1.0])
    charges, custom = openmm.NonbondedForce(), openmm.CustomNonbondedForce("a(r)")
    bonds = openmm.HarmonicBondForce()
    custom.addTabulatedFunction("a", openmm.Continuous1DFunction([0.0, 0.1, 0.2], 0, 1))
    for force in (charges, custom):
        force.setNonbondedMethod(force.CutoffPeriodic)
        force.setCutoffDistance(0.4)
    for mass, charge in ((16.0, -0.8), (1.0, 0.4), (1.0, 0.4)):
        made.addParticle(mass)
        charges.addParticle(charge, 0.3 if charge < 0 else 0.05, 0.5)
        custom.addParticle([])
    for hydrogen in (1, 2):
        bonds.addBond(0, hydrogen, 0.096, 4e5)
        charges.addException(0, hydrogen, 0.0, 0.1, 0.0)
        custom.addExclusion(0, hydrogen)
    for force in (charges, bonds, custom, openmm.CMMotionRemover()):
        made.addForce(force)
    return made


def system(folder):
    import openmm

    (folder / "system.xml").write_text(openmm.XmlSerializer.serialize(_system()))
    return folder / "system.xml", ["system.xml"]


def our_system(folder):
    import openmm

    from nnp.openmm import create_force

    made = openmm.System()
    made.setDefaultPeriodicBoxVectors([0.9, 0, 0], [0, 0.95, 0], [0, 0, 1.0])
    for mass in (16.0, 1.0, 1.0):
        made.addParticle(mass)
    made.addForce(create_force(potential(), ["O", "H", "H"], route="native", periodic=True))
    (folder / "system.xml").write_text(openmm.XmlSerializer.serialize(made))
    return folder / "system.xml", ["system.xml"]


# Kind: what makes a valid one (its path, and the files to damage), and what reads it.
KINDS = {
    "model": (model, load_and_use),
    "model, version 1": (first_version, load_and_use),
    "committee": (committee, load_and_use),
    "model in C": (model, open_in_c),
    "committee in C": (committee, open_in_c),
    "n2p2 directory": (directory, load_and_use),
    "aenet": (aenet(".nn"), load_and_use),
    "aenet text": (aenet(".nn.ascii"), load_and_use),
    "input.data": (structures("input.data", "n2p2"), read_frames),
    "extxyz": (structures("s.extxyz", "extxyz"), read_frames),
    "xyz": (structures("s.xyz", "xyz"), read_frames),
    "POSCAR": (structures("POSCAR", "vasp"), read_frames),
    "cif": (structures("s.cif", "cif"), read_frames),
    "pdb": (structures("s.pdb", "proteindatabank"), read_frames),
    "gro": (structures("s.gro", "gromacs"), read_frames),
    "xsf": (structures("s.xsf", "xsf"), read_frames),
    "gen": (structures("s.gen", "gen"), read_frames),
    "traj": (structures("s.traj", "traj"), read_frames),
    "ase json": (structures("s.json", "json"), read_frames),
    "lammps data": (structures("s.lmp", "lammps-data"), read_frames),
    "lammps dump": (dump, read_frames),
    "XDATCAR": (structures("XDATCAR", "vasp-xdatcar"), read_frames),
    "fit.toml": (toml, read_toml),
    "input.nn": (input_nn, read_toml),
    "checkpoint": (checkpoint, read_checkpoint),
    "restart": (restart, read_restart),
    "System XML": (system, read_system),
    "XML of our force": (our_system, read_system),
}


def quiet():
    """Nothing of what the readers say is expected."""
    warnings.simplefilter("ignore")
