"""Training reads by the same reader: labels, refusals, and what it keeps of what was said."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from runs import nnp
from structure_files import XSF, dump, extended

from nnp.errors import FileFormatError
from nnp.train.data.dataset import Dataset, LabelKeys
from nnp.train.data.sets import DataSettings, read_data

CONFIG = """\
[data]
train = "frames.extxyz"
[data.split]
fraction = 0.2
[functions.generate]
cutoff = 4.0
[network]
hidden = [3]
[loss]
stress = {stress}
[run]
epochs = 1
"""


def frames(slab_stress):
    found = []
    for number in range(8):
        atoms = bulk("Si", cubic=True)
        atoms.rattle(0.05, seed=number)
        forces = 0.1 * (atoms.positions - atoms.positions.mean(axis=0))
        results = {"energy": -30.0 - 0.1 * number, "forces": forces, "stress": np.full(6, 0.01)}
        if number == 5:
            atoms.pbc = (True, True, False)
            results["stress"] = np.array(slab_stress)
        atoms.calc = SinglePointCalculator(atoms, **results)
        found.append(atoms)
    return found


@pytest.mark.parametrize("stress", [np.zeros(6), np.full(6, 0.02)])
def test_a_slab_with_a_stress_to_learn_is_named(tmp_path, monkeypatch, capsys, stress):
    monkeypatch.chdir(tmp_path)
    write("frames.extxyz", frames(stress))
    (tmp_path / "fit.toml").write_text(CONFIG.format(stress=1.0))
    assert nnp("train", "fit.toml") == 1
    assert "frames.extxyz, structure 5: it has a stress to learn" in capsys.readouterr().err
    (tmp_path / "fit.toml").write_text(CONFIG.format(stress=0.0))
    assert nnp("train", "fit.toml") == 0


def test_the_line_is_printed_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = frames(np.zeros(6))
    for atoms in made:
        atoms.info["REF_energy"] = -1.0
    write("frames.extxyz", made)
    (tmp_path / "fit.toml").write_text(CONFIG.format(stress=0.0))
    assert nnp("train", "fit.toml") == 0
    printed, kept = capsys.readouterr(), (tmp_path / "training" / "data.txt").read_text()
    line = "frames.extxyz: 8 structures, 64 atoms (Si 64), periodic cell 7, cell with pbc T T F 1"
    assert line in printed.out
    assert line in kept
    assert "not used: REF_energy" in printed.err
    assert "not used: REF_energy" in kept


@pytest.mark.parametrize("energy", ["# total energy = -3.25 eV", "# total energy = -3.25", ""])
def test_an_xsf_means_the_same_to_training(tmp_path, energy):
    (tmp_path / "a.xsf").write_text(XSF.format(energy=energy, kind="CRYSTAL"))
    (found,) = Dataset.read(tmp_path / "a.xsf")
    assert found.energy == (-3.25 if energy else None)
    np.testing.assert_allclose(found.forces[0], [0.25, -0.5, 0.75])


def test_types_of_a_dump_are_a_setting(tmp_path):
    path = tmp_path / "a.dump"
    path.write_text(dump("id type x y z", "1 1 1 1 1\n2 2 1.96 1 1\n3 2 .76 1.93 1"))
    with pytest.raises(FileFormatError, match="nothing states which element type 1"):
        read_data(DataSettings((str(path),)))
    train, _ = read_data(DataSettings((str(path),), types="O,H"))
    assert train.elements == ("H", "O")
    assert train.labels == {}


def test_predictions_are_not_learned(tmp_path):
    text = extended(":forces:R:3", "energy=-1.0 predicted_by=x ref_energy=-2.0", "0 0 .1")
    (tmp_path / "a.extxyz").write_text(text)
    (found,) = Dataset.read(tmp_path / "a.extxyz")
    assert found.energy == -2.0
    assert found.forces is None
    (found,) = Dataset.read(tmp_path / "a.extxyz", LabelKeys(energy="energy", forces="forces"))
    assert found.energy == -1.0
    assert found.forces[0, 2] == 0.1
