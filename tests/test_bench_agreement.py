"""The benchmark beside LAMMPS compares like with like, and ends what it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase.build
import numpy as np
import pytest

pytest.importorskip("openmm", reason="OpenMM is not installed")

from bench_lammps import main
from beside_lammps.sizes import of_size
from beside_lammps.subjects import LammpsSubject, OpenMMSubject
from beside_lammps.systems import silicon_script
from lammps_stand_in import program, stand_in

from nnp.bench import lammps
from nnp.bench.agreement import Answer, Judge
from nnp.bench.lammps_script import Conditions
from nnp.bench.programs import run_program
from nnp.errors import NNPError, UnavailableError
from nnp.io.lammps import in_our_axes
from nnp.structure import as_structure
from nnp.teachers.ase import StillingerWeber
from nnp.testing import random_potential, structures

NOW = Conditions()


def silicon(n=8):
    return of_size(as_structure(ase.build.bulk("Si", cubic=True)), n)


@pytest.fixture
def judge():
    found = Judge(random_potential(("Si",), 1, ("radial", "angular_narrow")))
    found.prepare(silicon())
    return found


# ---- what counts as the same ----


def test_atoms_are_moved_before_they_are_compared(judge):
    """In the crystal itself all forces vanish, those of any other potential too."""
    right = judge._right
    assert np.abs(right.forces).max() > 1e-3
    assert judge.difference(right).force == 0


@pytest.mark.parametrize(
    ("energy", "force", "single", "fine"),
    [
        (1e-9, 1e-10, False, True),
        (1e-6, 0.0, False, False),
        (0.0, 1e-6, False, False),
        (1e-6, 1e-5, True, True),
        (0.0, 0.1, True, False),
        (np.nan, 0.0, True, False),
        (0.0, np.nan, False, False),
    ],
)
def test_what_is_another_potential(judge, energy, force, single, fine):
    right = judge._right
    answer = Answer(right.energy + 8 * energy, right.forces + force, single)
    if fine:
        assert judge.difference(answer).energy == pytest.approx(energy, rel=1e-3)
    else:
        with pytest.raises(NNPError, match=r"it is another potential: .* eV/Å \(allowed: "):
            judge.difference(answer)


def test_lost_atoms(judge):
    answer = Answer(judge._right.energy, judge._right.forces[1:])
    with pytest.raises(NNPError, match="forces on 7 atoms, the structure has 8: atoms were lost"):
        judge.difference(answer)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("route", ["native", "python"])
def test_routes_agree(judge, route, dtype):
    from plugin_systems import need_plugin

    if route == "native":
        need_plugin()
    options = {"platform": "CPU", "route": route, "threads": 1, "dtype": dtype}
    subject = OpenMMSubject("x", judge._potential, NOW, options)
    subject.prepare(silicon())
    answer = subject.answer(judge.structure)
    assert answer.single == (dtype == "float32")
    assert judge.difference(answer).force < (1e-3 if answer.single else 1e-10)


@pytest.mark.parametrize("name", ["rattled", "molecule", "triclinic", "left_handed"])
def test_forces_of_a_real_lammps(name, tmp_path):
    """In our axes, though LAMMPS turns the cell."""
    structure = structures()[name]
    atoms = ase.Atoms(
        structure.symbols, positions=structure.positions, cell=structure.cell, pbc=structure.pbc
    )
    atoms.calc = StillingerWeber()
    script = silicon_script("sw", tmp_path, structure, NOW)
    try:
        energy, forces = lammps.forces_of_lammps(lammps.find_lammps(), script)
    except UnavailableError as error:
        pytest.skip(str(error))
    # LAMMPS's constants of sw have nine digits.
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-7)
    turned = in_our_axes(structure, forces)
    np.testing.assert_allclose(turned, atoms.get_forces(), atol=1e-6 * np.abs(forces).max())
    if name == "left_handed":
        assert np.abs(forces - turned).max() > 0.1


# ---- what is refused ----


def test_yardsticks_are_not_compared(tmp_path):
    subject = LammpsSubject("x", str(tmp_path / "none"), "sw", "", 1, None, Path("x"), NOW)
    assert subject.answer(silicon()) is None


@pytest.mark.parametrize("factor", [1.0, 1.0 + 1e-6])
def test_command_refuses_to_time_another_potential(factor, tmp_path, capsys):
    fake = stand_in(tmp_path, factor)
    small = ["--atoms", "8", "--repeats", "1", "--block-seconds", "0.01", "--routes", "python"]
    asked = ["silicon_sw", *small, "--styles", "hdnnp", "--lammps", str(fake)]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    refused = "LAMMPS hdnnp, 8 atoms: not measured, it is another potential"
    assert (refused in printed) == (factor != 1.0)
    agreed = "OpenMM CPU python, LAMMPS hdnnp" if factor == 1.0 else "OpenMM CPU python\n"
    assert "8 atoms: the same energies and forces, within" in printed
    assert agreed in printed


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "echo \"  what():  ERROR: Could not open file: 'scaling.data'.\" >&2; exit 134",
            NNPError,
            r"LAMMPS stopped \(Could not open file: 'scaling.data'.\)$",
        ),
        (
            "echo 'Exception: ERROR: Could not open file.\n\nAbort(1) on node 0' >&2; exit 1",
            NNPError,
            r"LAMMPS stopped \(Could not open file.\)$",
        ),
        ("kill -KILL $$", UnavailableError, r"does not run here \(killed by SIGKILL; no message\)"),
        (
            "echo 'LAMMPS (1 Jan 2030)'; kill -SEGV $$",
            NNPError,
            r"stopped \(killed by SIGSEGV; LAMMPS",
        ),
        ("echo 'NNP-ENERGY 1.0'", NNPError, "forces cannot be read"),
        (
            "echo 'NNP-ENERGY 1.0'; yes 1 2 3 | head -10 > forces.dump",
            NNPError,
            "forces cannot be read",
        ),
    ],
)
def test_what_lammps_says_of_forces(text, kind, message, tmp_path):
    fake = program(tmp_path, f"#!/bin/sh\n{text}\n")
    with pytest.raises(NNPError, match=message) as raised:
        lammps.forces_of_lammps(str(fake), "")
    assert isinstance(raised.value, UnavailableError) == (kind is UnavailableError)


# ---- ending programs ----


def alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("deaf", [False, True])
def test_a_launchers_processes_end_with_it(deaf, tmp_path, monkeypatch):
    monkeypatch.setattr("nnp.bench.programs._GRACE", 0.3)
    trap = "trap '' TERM; " if deaf else ""
    text = f"#!/bin/sh\n{trap}sleep 10 &\necho $! > pid\nwait; sleep 10; echo > ended\n"
    launcher = program(tmp_path, text)
    with pytest.raises(subprocess.TimeoutExpired):
        run_program([str(launcher)], tmp_path, os.environ, 0.5)
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)
    assert not (tmp_path / "ended").exists()


def test_programs_share_our_session(tmp_path):
    """Linux shares out processors by session: another one might get more or less."""
    code = "import os; print(os.getsid(0), os.getpgid(0) == os.getpid())"
    done = run_program([sys.executable, "-c", code], tmp_path, os.environ, 60)
    assert done.stdout.split() == [str(os.getsid(0)), "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_interrupted_programs_end(tmp_path):
    launcher = program(tmp_path, "#!/bin/sh\necho $$ > pid\nexec sleep 30\n")
    code = (
        "import os, pathlib, nnp.bench.programs as p\n"
        f"p.run_program([{str(launcher)!r}], pathlib.Path({str(tmp_path)!r}), os.environ, 60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not (tmp_path / "pid").is_file() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert not alive(int((tmp_path / "pid").read_text()))
