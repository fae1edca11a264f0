"""``nnp bench --lammps``: input scripts, LAMMPS's words, turns, and what bad input gets."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import ase.build
import ase.io
import numpy as np
import pytest

pytest.importorskip("openmm", reason="OpenMM is not installed")

from bench_lammps import build_parser, main
from beside_lammps import clock, suffixes
from beside_lammps.sizes import of_size
from beside_lammps.subjects import LammpsSubject
from beside_lammps.systems import script_of
from lammps_stand_in import program, stand_in
from pair_potential import pair_potential

import nnp
from nnp.bench import lammps
from nnp.bench.lammps_script import Conditions, runs
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import NNPError, UnavailableError
from nnp.functions import Radial, canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import as_structure
from nnp.teachers.ase import StillingerWeber
from nnp.testing import random_potential

NOW = Conditions()


@pytest.fixture
def fake(tmp_path):
    """Folder with an executable ``lmp``, and where it leaves what it was given."""
    return stand_in(tmp_path)


def oxide():
    """Two elements, one cutoff function: n2p2 can express it."""
    cutoff = Cutoff(CutoffKind.TANH_CUBED, 6.35)
    models = []
    for symbol in ("H", "O"):
        functions = tuple(canonical_order([Radial(n, 0.5, 0.0, cutoff) for n in ("H", "O")]))
        zeros, ones = np.zeros(2), np.ones(2)
        scaling = Scaling(zeros, ones, 0.5 * ones, ones, ScalingMode.NONE)
        network = Network((np.ones((2, 1)),), (np.zeros(1),), (Activation.IDENTITY,))
        models.append(ElementModel(symbol, functions, scaling, network))
    return Potential(tuple(models))


def water_box():
    box = ase.build.molecule("H2O")
    box.set_cell([4.0, 4.2, 4.4])
    box.pbc = True
    return as_structure(box * (2, 1, 1))


def script(style, folder, potential, structure, path="nowhere.nnp"):
    return script_of(style, folder, potential, Path(path), structure, NOW) + runs(3, 10, 2)


# ---- input scripts ----


def test_hdnnp_is_asked_for_as_lammps_documents_it(tmp_path, fake):
    """docs.lammps.org/pair_hdnnp.html: cutoff in Å, then native units per Å and per eV."""
    n2p2 = tmp_path / "n2p2"
    nnp.io.n2p2.write(oxide(), n2p2, "atomic")
    loaded = nnp.load(n2p2, "atomic")
    (tmp_path / "work").mkdir()
    text = script("hdnnp", tmp_path / "work", loaded, water_box(), n2p2)
    (words,) = (line.split() for line in text.splitlines() if line.startswith("pair_style"))
    assert words[:2] == ["pair_style", "hdnnp"]
    assert loaded.cutoff < float(words[2]) < loaded.cutoff + 1e-5
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert set(given) == {"dir", "showew", "resetew", "maxew", "cflength", "cfenergy"}
    assert given["dir"] == f'"{n2p2}/"'
    assert (given["showew"], given["resetew"]) == ("no", "yes")
    assert float(given["cflength"]) == pytest.approx(1.8897261328, rel=1e-7)
    assert float(given["cfenergy"]) == pytest.approx(0.0367493254, rel=1e-7)
    assert "pair_coeff * * H O\n" in text
    assert "boundary p p p" in text
    found = lammps.run_lammps(str(fake), text)
    assert found.n_atoms == 6
    atoms = ase.io.read(tmp_path / "work" / "atoms.data", format="lammps-data")
    assert sorted(atoms.symbols) == sorted(water_box().symbols)
    np.testing.assert_allclose(atoms.cell.lengths(), [8.0, 4.2, 4.4])


def test_other_potentials_become_n2p2_directories(tmp_path, fake):
    potential = pair_potential()
    silicon = as_structure(ase.build.bulk("Si", cubic=True))
    text = script("hdnnp", tmp_path, potential, silicon)
    lammps.run_lammps(str(fake), text)
    names = (tmp_path / "names").read_text().split()
    assert names == ["input.nn", "scaling.data", "weights.014.data"]
    again = nnp.load(tmp_path / "hdnnp", str(potential.units).replace(" ", ""))
    assert again.evaluate(silicon).energy == pytest.approx(potential.evaluate(silicon).energy)


def test_conditions_and_clusters_reach_lammps(tmp_path):
    potential = random_potential(("Si",), seed=4, families=("radial",))
    cluster = of_size(as_structure(ase.build.bulk("Si", cubic=True)), 3)
    text = script_of("sw", tmp_path, potential, Path("x"), cluster, Conditions(77.0, 0.5, 1.25))
    for line in ("boundary f f f", "neighbor 1.25 bin", "timestep 0.0005"):
        assert f"\n{line}\n" in text
    assert "\nneigh_modify every 1 delay 0 check yes\n" in text
    assert re.search(r"velocity all create 77\.0 \d+", text)
    atoms = ase.io.read(tmp_path / "atoms.data", format="lammps-data")
    assert len(atoms) == 3
    assert atoms.positions.min() > 10
    assert (atoms.cell.lengths() - atoms.positions.max(axis=0) > 10).all()
    assert runs(4, 9, 2).split("\n")[-4:-1] == ["run 4", "run 9", "run 9"]


def test_clusters_are_whole_molecules():
    box = water_box()
    moved = nnp.Structure(
        box.positions + np.array([3.9, 0, 0]), box.atomic_numbers, box.cell, box.pbc
    )
    wrapped = moved.positions % np.diag(box.cell)
    split = nnp.Structure(wrapped, box.atomic_numbers, box.cell, box.pbc)
    molecule = of_size(split, 3)
    assert sorted(molecule.symbols) == ["H", "H", "O"]
    lengths = np.linalg.norm(molecule.positions[1:] - molecule.positions[0], axis=1)
    assert lengths.max() < 1.7
    assert not molecule.pbc.any()
    assert len(of_size(box, 13)) == 24


def test_threads_and_lists_of_suffixes():
    def words(suffix, threads, many_body):
        return " ".join(suffixes.suffix_arguments(suffix, threads, many_body))

    assert words("", 4, True) == ""
    assert words("omp", 4, True) == "-sf omp -pk omp 4"
    assert words("gpu", 4, True) == "-sf gpu -pk gpu 1"
    assert words("kk", 4, False) == "-k on g 1 -sf kk"
    assert words("kk-threads", 4, True) == "-k on t 4 -sf kk -pk kokkos newton on neigh half"


# ---- a real LAMMPS ----


def test_lammps_has_the_same_silicon(tmp_path):
    """Its energy of the crystal that ``sw`` runs, against ours of the same potential."""
    try:
        command = lammps.find_lammps()
    except UnavailableError as error:
        pytest.skip(str(error))
    crystal = ase.build.bulk("Si", cubic=True) * (2, 2, 2)
    structure = as_structure(crystal)
    text = script("sw", tmp_path, random_potential(("Si",), 1, ("radial",)), structure)
    file = tmp_path / "in.sw"
    file.write_text(text.split("fix 1")[0] + "run 0\nvariable e equal pe\nprint 'PE ${e}'\n")
    done = subprocess.run(
        [command, "-in", str(file), "-log", "none"],
        capture_output=True,
        text=True,
        env=lammps._environment(1),
        check=True,
    )
    crystal.calc = StillingerWeber()
    energy = float(re.search(r"^PE (\S+)", done.stdout, re.MULTILINE)[1])
    assert energy == pytest.approx(crystal.get_potential_energy(), rel=1e-6)
    found = lammps.run_lammps(command, text)
    assert (found.n_atoms, len(found.seconds), found.style) == (64, 2, "sw")
    assert min(found.seconds) > 0


# ---- what LAMMPS says ----


def test_loop_times_are_lammps_own(tmp_path, fake):
    potential = random_potential(("Si",), 1, ("radial",))
    silicon = as_structure(ase.build.bulk("Si", cubic=True))
    found = lammps.run_lammps(str(fake), script("sw", tmp_path, potential, silicon), ["-sf", "omp"])
    assert found == lammps.LammpsRun("1 Jan 2030", "sw/omp", [0.25, 0.25], [0.125, 0.125], 2, 8)
    assert "-sf omp" in (tmp_path / "words").read_text()


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (None, UnavailableError, r"lmp: LAMMPS does not start \(No such file"),
        (
            "#!/bin/sh\necho libmpi.so is missing >&2; exit 127",
            UnavailableError,
            "libmpi.so is mis",
        ),
        ("#!/bin/sh\nexit 1", UnavailableError, "does not run here .no message"),
        ("#!/bin/sh\necho hello", UnavailableError, "does not run here .hello"),
        ("#!/bin/sh\necho 'ERROR: Unrecognized pair style x'; exit 1", UnavailableError, "without"),
        (
            "#!/bin/sh\necho 'ERROR: Cannot use -kokkos on without KOKKOS installed'; exit 1",
            UnavailableError,
            "this LAMMPS was built without it",
        ),
        (
            "#!/bin/sh\necho 'ERROR: Package gpu command without GPU package installed'; exit 1",
            UnavailableError,
            "this LAMMPS was built without it",
        ),
        (
            "#!/bin/sh\necho 'ERROR: Lost atoms (a.cpp:1)'; exit 1",
            NNPError,
            "stopped .Lost atoms.$",
        ),
        ("#!/bin/sh\nexec sleep 20", NNPError, "took longer than 0.2 s"),
    ],
)
def test_what_does_not_run_is_a_sentence(text, kind, message, tmp_path):
    path = tmp_path / "lmp" if text is None else program(tmp_path, text)
    with pytest.raises(kind, match=message) as raised:
        lammps.run_lammps(str(path), "run 1", time_limit=0.2 if "sleep" in str(text) else 60)
    assert isinstance(raised.value, UnavailableError) == (kind is UnavailableError)


def test_no_lammps_at_all(monkeypatch):
    monkeypatch.setattr(lammps, "_module_folder", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        UnavailableError, match="neither Python's module lammps nor lmp on the path"
    ):
        lammps.find_lammps()
    assert "not measured, there is no LAMMPS" in clock.silicon_clock()


# ---- the command ----


def words(tmp_path, *more):
    files = [f"--{kind}={tmp_path / f'out.{kind}'}" for kind in ("json", "markdown")]
    small = ["--atoms", "3", "8", "--repeats", "1", "--block-seconds", "0.01"]
    return ["silicon_sw", *small, "--routes", "python", *files, *more]


def test_command_writes_one_table(tmp_path, fake, capsys):
    pytest.importorskip("matplotlib", reason="the picture needs it")
    picture = tmp_path / "out.png"
    asked = words(tmp_path, "--plot", str(picture), "--suffixes", "omp", "--lammps", str(fake))
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "NVE from 300 K, 1 fs, skin 1 Å" in printed
    assert f"LAMMPS snap, 3 atoms: not measured, {fake}: this LAMMPS was built without" in printed
    assert "LAMMPS lj/cut, 8 atoms: not measured" in printed
    assert "Lost atoms: original 4 current 3)" in printed
    record = json.loads((tmp_path / "out.json").read_text())
    rows = {(m["subject"], m["n_atoms"]) for m in record["measurements"]}
    names = ("OpenMM CPU python", "LAMMPS hdnnp", "LAMMPS sw", "LAMMPS sw omp")
    assert rows == {(name, atoms) for name in names for atoms in (3, 8)}
    assert {"processor", "commit", "date", "cores", "load"} <= set(record["machine"])
    assert str(tmp_path) not in json.dumps(record["measurements"])
    table = (tmp_path / "out.markdown").read_text()
    assert "| LAMMPS sw omp | 8 | 2 | 5 | 250000 | 250000-250000 | 0.032 | 0.346 | 0.064 |" in table
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(asked) == 1
    assert "out.json exists: choose another name, or add --force" in capsys.readouterr().err


def test_command_without_lammps_has_the_rest(tmp_path, capsys):
    missing = str(tmp_path / "missing")
    assert main(words(tmp_path, "--styles", "sw", "--lammps", missing)) == 0
    out = capsys.readouterr().out
    assert out.count("missing: LAMMPS does not start") == 1
    assert "OpenMM CPU python" in out
    again = words(
        tmp_path, "--force", "--styles", "sw", "--platforms", "Abacus", "--lammps", missing
    )
    assert main(again) == 1
    assert "nothing could be measured" in capsys.readouterr().err


def test_command_interrupted_writes_what_it_has(tmp_path, fake, monkeypatch):
    original, calls = LammpsSubject.block, []

    def block(self, *arguments):
        calls.append(self.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(LammpsSubject, "block", block)
    assert main(words(tmp_path, "--styles", "sw", "--lammps", str(fake))) == 130
    record = json.loads((tmp_path / "out.json").read_text())
    assert [m["n_atoms"] for m in record["measurements"]] == [3, 3, 8]


def test_the_page_shows_commands_that_exist():
    page = Path(__file__).parents[1] / "docs" / "benchmarks.md"
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line)[2:]  # what was measured before was called nnp bench
        assert build_parser().parse_args(words).lammps is not None
