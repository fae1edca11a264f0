"""Training with NEP's functions, by nep.in's names, and writing what came out."""

from __future__ import annotations

import numpy as np
import pytest
from test_nep_writing import assert_calorine_agrees, assert_same
from train_data import dataset

import nnp
from nnp.errors import OptionError
from nnp.functions import MomentPair, MomentQuartic, MomentSum, MomentTriple
from nnp.io import nep
from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.fit.run import train
from nnp.train.fit.settings import TrainingSettings
from nnp.train.inputs.nep import GeneratedNep

SMALL = {"cutoff": [4.0, 3.5], "n_max": [2, 1], "basis_size": [3, 3], "l_max": [2, 2, 1]}


def test_functions_of_a_nep():
    structures = [frame.structure for frame in dataset(("H", "O"), count=2)]
    found = from_table(GeneratedNep, SMALL, "functions.nep").for_elements(("H", "O"), structures)
    kinds = [type(f) for f in found["O"]]
    assert [kinds.count(k) for k in (MomentSum, MomentPair, MomentTriple, MomentQuartic)] == [
        3,
        2 * 2,
        2,
        2,
    ]
    assert {f.series.radii for f in found["O"]} == {(4.0, 4.0), (3.5, 3.5)}
    assert found["O"] != found["H"]


@pytest.mark.parametrize("learn", [True, False])
def test_trained_and_written(tmp_path, learn):
    """Two elements, energies of atoms of their own: NEP_CPU reads what was trained."""
    table = {
        "data": {"train": "unused"},
        "functions": {"nep": {**SMALL, "neuron": 5, "learn": learn}},
        "run": {"output": str(tmp_path / "run"), "epochs": 2, "threads": 1},
    }
    settings = from_table(TrainingSettings, table, "")
    assert settings.network.hidden == (5,)
    frames = dataset(("H", "O"), count=4)
    result = train(settings, quiet=True, data=(frames, Dataset(())))
    path = tmp_path / "nep.txt"
    nep.write(result.potential, path)
    assert_same(result.potential, nnp.load(path), rtol=1e-11)
    assert_calorine_agrees(result.potential, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": [4.0, 5.0]}, "the second not above the first"),
        ({"n_max": [9, 4], "basis_size": [3, 3]}, "of 8 terms"),
        ({"l_max": [9]}, "l from 1 to 8"),
        ({"l_max": [4, 3]}, "switches are 0 or 1"),
        ({"basis_size": [16, 4]}, "basis_size"),
        ({"neuron": 0}, "1 or more"),
        ({"nmax": [4, 4]}, "did you mean 'n_max'"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(OptionError, match=message):
        from_table(GeneratedNep, {**SMALL, **change}, "functions.nep").for_elements(("H", "O"))


def test_starts_as_directions_of_the_data():
    """Radial functions do not depend on the order of the structures' atoms, and are not equal."""
    structures = [frame.structure for frame in dataset(("Si",), count=2)]
    found = from_table(GeneratedNep, SMALL, "").for_elements(("Si",), structures)["Si"]
    c = np.array(next(f.series for f in found if isinstance(f, MomentSum)).coefficients)[0]
    assert np.linalg.matrix_rank(c) == 3
