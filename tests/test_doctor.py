"""`nnp doctor` and reading of folders: what there is, what is wrong, what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from runs import nnp
from train_data import dataset
from vasp_files import outcar

from nnp.errors import FileFormatError, OptionError, StructureError
from nnp.io.structures.folders import read_many
from nnp.io.structures.suggest import suggest_keys
from nnp.structure import Structure
from nnp.teachers.ase import StillingerWeber
from nnp.train.data.checks import check, drop
from nnp.train.data.consistency import look
from nnp.train.data.dataset import Dataset, LabelKeys
from nnp.train.data.doctor import examine
from nnp.train.data.facts import facts
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.sets import DataSettings, read_data
from nnp.train.data.tensors import STRESS, VIRIAL, kinds_of_tensor
from nnp.units import BOHR, GPA, HARTREE


def silicon(count=12, seed=0, scale=0.0):
    """Cells of eight atoms along a path, with Stillinger-Weber's labels."""
    rng, frames = np.random.default_rng(seed), []
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.1, seed=seed)
    direction = rng.normal(size=atoms.positions.shape)
    for number in range(count):
        made = atoms.copy()
        made.positions += 0.01 * number * direction
        made.set_cell(made.cell * (1 + scale * (number - count / 2)), scale_atoms=True)
        made.calc = StillingerWeber()
        labels = {n: made.calc.get_property(n, made) for n in ("energy", "forces", "stress")}
        made.calc = SinglePointCalculator(made, **labels)
        frames.append(made)
    return frames


@pytest.fixture
def folder(tmp_path):
    """Runs of VASP as people keep them."""
    for name, seed in (("a", 1), ("b/deep", 2)):
        run = tmp_path / "data" / name
        run.mkdir(parents=True)
        (run / "OUTCAR").write_text(outcar(silicon(6, seed), encut=400.0 + 100.0 * (seed - 1)))
        (run / "INCAR").write_text("ENCUT = 400\n")
        write(run / "POSCAR", bulk("Si"), format="vasp")
    return tmp_path / "data"


def test_a_folder_is_read_and_what_is_not_is_said(folder):
    (folder / "c").mkdir()
    (folder / "c" / "OUTCAR").write_text(outcar(silicon(2))[:900])
    found = read_many([folder])
    assert [len(reading.frames) for reading in found.read] == [6, 6]
    said = " ".join(found.left_out + found.contradictions)
    assert "2 files of 7 hold structures without labels: POSCAR" in said
    assert "2 files of 7 hold no structures: INCAR" in said
    assert "1 file of 7 cannot be read and left out" in said
    assert "c/OUTCAR" in said
    assert "ENCUT differs among the runs of VASP: 400 in 1" in said
    assert len(read_many([folder / "*/OUTCAR"]).read) == 1
    assert len(read_many([folder / "**/OUTCAR"]).read) == 2


def test_one_of_two_files_of_a_run_is_read(folder):
    (folder / "a" / "vasprun.xml").write_text("<modeling> broken")
    assert [reading.path.name for reading in read_many([folder / "a"]).read] == ["OUTCAR"]


def test_folders_without_structures_end_in_one_message(tmp_path):
    with pytest.raises(FileFormatError, match="holds no files: give a folder or files"):
        read_many([tmp_path])
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(FileFormatError, match=r"no file of labelled structures \(there are: notes"):
        read_many([tmp_path])
    with pytest.raises(FileFormatError, match="matches no file"):
        read_many([tmp_path / "*.xyz"])
    (tmp_path / "a.extxyz").write_text("3\nbroken\n")
    with pytest.raises(FileFormatError, match="none of its structures can be read"):
        read_many([tmp_path])
    with pytest.raises(FileFormatError, match="truncated"):
        read_many([tmp_path / "a.extxyz"])


def test_folders_of_runs_of_ours_hold_no_data(folder):
    for name in ("best.nnp", "checkpoint.npz"):
        (folder / "a" / name).write_bytes(b"")
    assert len(read_many([folder]).read) == 1


def test_reports_hold_no_data(folder):
    """An evaluation and a committee leave copies of the worst structures."""
    own = folder / "evaluation"
    own.mkdir()
    for name in ("report.html", "metrics.json"):
        (own / name).touch()
    write(own / "worst.extxyz", silicon(2))
    found = read_many([folder])
    assert not [reading for reading in found.read if reading.path.parent == own]


def test_json_of_others_holds_no_structures(folder):
    """Such as nnp analyse writes."""
    write(folder / "ours.json", bulk("Si"))
    (folder / "analysis.json").write_text('{"version": 1, "quantities": []}')
    found = read_many([folder])
    assert "ours.json" in {reading.path.name for reading in found.read}
    assert any("analysis.json" in line and "no structures" in line for line in found.left_out)
    with pytest.raises(FileFormatError, match=r"analysis\.json is JSON, but no database"):
        read_many([folder / "analysis.json"])


def test_links_to_folders_are_followed_once(tmp_path):
    data = tmp_path / "data"
    (data / "inner").mkdir(parents=True)
    write(data / "inner" / "a.extxyz", silicon(2))
    (data / "inner" / "self").symlink_to("../inner")
    (data / "up").symlink_to("..")
    (data / "gone.extxyz").symlink_to("nowhere")
    found = read_many([data])
    assert [reading.path.name for reading in found.read] == ["a.extxyz"]
    assert any("1 file of 2 points to nothing: gone.extxyz" in line for line in found.left_out)


def test_a_folder_without_access_is_said(tmp_path, monkeypatch):
    data, closed = tmp_path / "data", tmp_path / "data" / "closed"
    closed.mkdir(parents=True)
    write(data / "a.extxyz", silicon(2))
    inside = Path.iterdir

    def iterdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = read_many([data])
    assert len(found.read) == 1
    assert found.left_out == [f"{closed} cannot be read and is left out: Permission denied"]
    with pytest.raises(FileFormatError, match=r"closed cannot be read .*: Permission denied"):
        read_many([closed])


def test_facts():
    known = facts(Dataset.from_atoms(silicon()))
    assert (known.structures, known.atoms) == (12, 96)
    assert known.elements == {"Si": {"atoms": 96, "structures": 12}}
    assert known.labels == {"energy": 12, "forces": 12, "stress": 12}
    assert known.neighbors[4.0][0] == pytest.approx(15, abs=2)
    assert known.shortest["Si-Si"] < 2.35
    assert known.undetermined == ()
    assert json.loads(json.dumps(known.table()))["forces"]["largest"] > 0


def test_groups_are_config_types_where_none_is_named():
    frames = silicon(2)
    for atoms in frames:
        atoms.info["config_type"] = "bulk"
    frames[1].info["group"] = "melt"
    assert Dataset.from_atoms(frames).groups == {"bulk": 1, "melt": 1}
    assert Dataset.from_atoms(frames, LabelKeys(group="config_type")).groups == {"bulk": 2}


def test_compositions_that_determine_nothing():
    one = dataset(("O", "H"), n=6)
    water = one + dataset(("O", "H"), n=5)
    assert [str(f) for f in examine(water).findings if f.where == "compositions"] == []
    text = " ".join(str(f) for f in examine(one).findings)
    assert "do not determine an energy per element (H O always" in text


def lone(x):
    """Two atoms at a distance."""
    return Structure(np.array([[0.0, 0, 0], [x, 0, 0]]), [14, 14], np.zeros((3, 3)), False)


def test_of_two_copies_the_one_with_more_labels_stays():
    data = dataset(count=4)
    forces = replace(data[0], energy=None, stress=None, where="forces")
    energy = replace(data[1], forces=None, stress=None, where="energy")
    others = replace(data[1], energy=None, where="forces and stress")
    both = Dataset((forces, *data, energy, energy, others))
    assert [f.indices for f in check(both) if f.kind == "duplicate"] == [(0,), (5,), (6,), (7,)]
    assert drop(both, ("duplicate",)).labels == data.labels
    parts = Dataset((energy, others, *data.frames[2:]))  # no copy: each has what the other lacks
    assert not [f for f in check(parts) if f.kind == "duplicate"]
    contrary = replace(energy, energy=data[1].energy + 1.0)
    found = [f.kind for f in check(Dataset((contrary, *data))) if f.kind == "contradiction"]
    assert found == ["contradiction"]


def test_kinds_of_findings_and_dropping_them():
    found = list(Dataset.from_atoms(silicon()))
    found.append(replace(found[0], where="copy"))
    found.append(replace(found[1], energy=found[1].energy + 1.0, where="contradiction"))
    found.append(replace(found[2], energy=None, forces=None, stress=None, where="bare"))
    found.append(LabelledStructure(lone(7.0), 0.0, where="lone"))
    strong = np.zeros((2, 3))
    strong[:, 0] = -200, 200
    found.append(LabelledStructure(lone(1.5), -1.0, strong, where="strong"))
    data = Dataset(tuple(found))
    kinds = {f.where: f.kind for f in check(data)}
    wanted = {
        "copy": "duplicate",
        "contradiction": "contradiction",
        "bare": "unlabelled",
        "lone": "isolated",
        "strong": "force_outlier",
    }
    assert wanted.items() <= kinds.items()
    rest = drop(data, ("duplicate", "unlabelled"))
    assert [f.where for f in data if f not in tuple(rest)] == ["copy", "bare"]
    assert rest.notes[-1] == "left out 2 structures of 17 (2 duplicate, 1 unlabelled)"
    assert drop(data, ()) is data
    with pytest.raises(StructureError, match="nothing is left of 1 structure without isolated"):
        drop(data.subset([15]), ("isolated",))
    with pytest.raises(OptionError, match="drop = 'outliers': allowed are unlabelled, duplicate"):
        DataSettings(("x",), drop=("outliers",))


def scaled(data, energy=1.0, forces=1.0):
    return Dataset(
        tuple(replace(f, energy=energy * f.energy, forces=forces * f.forces) for f in data)
    )


@pytest.mark.parametrize(
    ("energy", "forces", "says"),
    [
        (1, 1, None),
        (1 / HARTREE, 1, "energies are in hartree and forces in eV/Å"),
        (1, BOHR / HARTREE, "energies are in eV and forces in hartree/bohr"),
        (1, -1, "forces have the opposite sign"),
        (1 / 8, 1, "energies are per atom"),
    ],
)
def test_energies_and_forces_that_do_not_belong_together(energy, forces, says):
    data = scaled(Dataset.from_atoms(silicon(14)), energy, forces)
    found = [str(finding) for finding in look(data)]
    assert (says is None and found == []) or says in found[0]


def test_kinds_of_tensors():
    frames = Dataset.from_atoms(silicon(14, scale=0.004))
    structures = [frame.structure for frame in frames]
    trace = np.array([frame.stress[:3].mean() for frame in frames])
    volume = np.array([s.volume for s in structures])
    assert kinds_of_tensor(structures, trace)[0] == STRESS
    assert VIRIAL in kinds_of_tensor(structures, -trace * volume)
    assert "stress with the opposite sign in kbar" in kinds_of_tensor(structures, -10 * trace / GPA)
    assert STRESS not in kinds_of_tensor(structures, -10 * trace / GPA)
    assert kinds_of_tensor(structures[:1] * 14, trace) == []
    wrong = Dataset(tuple(replace(f, stress=-f.stress) for f in frames))
    assert "not stresses in eV/Å³ but" in " ".join(map(str, look(wrong)))


def test_label_keys_are_suggested(tmp_path, capsys):
    frames = silicon(3)
    for atoms in frames:
        atoms.info |= {"REF_energy": atoms.get_potential_energy(), "energy_std": 0.1}
        atoms.arrays["REF_forces"] = atoms.get_forces()
        atoms.calc = None
    assert suggest_keys(frames) == {"energy": "REF_energy", "forces": "REF_forces"}
    write(tmp_path / "a.extxyz", frames)
    with pytest.raises(StructureError, match="--energy-key REF_energy --forces-key REF_forces"):
        check(read_data(DataSettings((str(tmp_path / "a.extxyz"),)))[0])
    assert nnp("doctor", tmp_path / "a.extxyz") == 1
    assert "has REF_energy, REF_forces:" in capsys.readouterr().out
    words = ["--energy-key", "REF_energy", "--forces-key", "REF_forces"]
    assert nnp("doctor", tmp_path / "a.extxyz", *words) == 0


def test_a_free_energy_is_suggested_where_there_is_no_other(tmp_path, capsys):
    """ASE's files have it beside the energy, some programs' alone."""
    frames = silicon(3)
    for atoms in frames:
        labels = {"free_energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
    assert suggest_keys(frames) == {"energy": "free_energy"}
    write(tmp_path / "a.extxyz", frames)
    assert nnp("doctor", tmp_path / "a.extxyz") == 0
    found = capsys.readouterr().out
    assert "--energy-key free_energy" in found
    assert "no energies at all" in found
    assert "nothing looks wrong" not in found
    assert nnp("doctor", tmp_path / "a.extxyz", "--energy-key", "free_energy") == 0
    assert "no energies" not in capsys.readouterr().out
    frames[0].info["total_energy"] = 1.0
    assert suggest_keys(frames) == {"energy": "total_energy"}


def test_a_virial_is_suggested_where_there_is_no_stress(tmp_path, capsys):
    """GPUMD's and QUIP's files have one, of this name."""
    frames = silicon(12, scale=0.005)
    for atoms in frames:
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.info["virial"] = -atoms.get_stress(voigt=False) * atoms.get_volume()
        atoms.calc = SinglePointCalculator(atoms, **labels)
    assert suggest_keys(frames) == {"virial": "virial"}
    write(tmp_path / "a.xyz", frames, format="extxyz")
    assert nnp("doctor", tmp_path / "a.xyz") == 0
    assert "--virial-key virial" in capsys.readouterr().out


def test_the_command(folder, tmp_path, capsys):
    json_file, picture = tmp_path / "report.json", tmp_path / "data.png"
    assert nnp("doctor", folder, "--json", json_file, "--picture", picture) == 0
    out = capsys.readouterr().out
    assert "12 with 96 atoms, 8 in a structure" in out
    assert "look at         settings: ENCUT differs among the runs of VASP: 400 in 1" in out
    assert max(map(len, out[out.index("structures  ") :].splitlines()[:9])) <= 80
    assert json.loads(json_file.read_text())["facts"]["atoms"] == 96
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert nnp("doctor", folder, "--json", json_file) == 1


def test_stresses_that_were_not_computed():
    """Zeros, or one tensor for all: they spoiled fits that learned them."""
    frames = Dataset.from_atoms(silicon(6, scale=0.004))
    zeros = [replace(f, stress=np.zeros(6)) for f in frames[:2]] + list(frames[2:])
    (finding,) = look(Dataset(tuple(zeros)))
    assert (finding.where, finding.message[:12]) == ("stresses", "2 of 6 are e")
    same = Dataset(tuple(replace(f, stress=np.full(6, 0.01)) for f in frames))
    (finding,) = look(same)
    assert "all 6 structures have the same stress" in finding.message
