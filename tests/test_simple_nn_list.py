"""SIMPLE-NN's structure_list: groups, weights, slices, braces; its pickles are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

pytest.importorskip("torch", reason="training needs torch")

from nnp.errors import FileFormatError
from nnp.io.structures.formats import recognise
from nnp.train.data.dataset import Dataset


def frames(count):
    """H2 whose energy is the number of the frame."""
    found = []
    for number in range(count):
        atoms = Atoms("H2", [[0, 0, 0], [0, 0, 0.8 + 0.01 * number]])
        labels = {"energy": float(number), "forces": np.zeros((2, 3))}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        found.append(atoms)
    return found


@pytest.fixture
def runs(tmp_path):
    for name in ("md", "slab1", "slab2"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "run.extxyz", frames(6))
    return tmp_path


def listed(folder, text):
    path = folder / "structure_list"
    path.write_text(text, encoding="utf-8")
    return path


def test_groups_weights_slices_and_braces(runs):
    text = "[ bulk ]\nmd/run.extxyz 1:6:2\n\n[ surface : 3.0 ]\nslab{1..2}/run.extxyz :\n"
    found = Dataset.read([listed(runs, text)])
    assert [frame.energy for frame in found][:4] == [1.0, 3.0, 5.0, 0.0]
    assert found.groups == {"bulk": 3, "surface": 12}
    assert {(frame.group, frame.weight) for frame in found} == {("bulk", 1.0), ("surface", 3.0)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[ bulk ]\nmd/run.extxyz 1:6:2 more\n", r"line 2: .*a file and a slice are expected"),
        ("[ bulk : heavy ]\nmd/run.extxyz\n", r"line 1: .*\[ name : 3.0 \]"),
        ("[ bulk ]\n", "names no file"),
        ("[ bulk ]\nnowhere/OUTCAR :\n", "names it: .*nowhere"),
    ],
)
def test_refused(runs, text, says):
    with pytest.raises(FileFormatError, match=says):
        Dataset.read([listed(runs, text)])


def test_a_pickle_is_not_read(tmp_path):
    path = tmp_path / "data1.pickle"
    path.write_bytes(pickle.dumps({"E": 1.0}))
    with pytest.raises(FileFormatError, match=r"data1.pickle is a pickle.*structure_list"):
        recognise(path)


def test_a_folder_with_a_list_is_read_once(runs):
    listed(runs, "[ bulk ]\nmd/run.extxyz :\n")
    assert len(Dataset.read([runs])) == 18
