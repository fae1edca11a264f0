"""Total or cohesive: what labels are, where atomic energies are given."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from train_data import dataset, settings

from nnp.errors import OptionError, StructureError
from nnp.train.data.dataset import Dataset
from nnp.train.data.energies import kind_of_energies
from nnp.train.data.sets import DataSettings
from nnp.train.fit.choosing import choose

ATOMIC = {"Si": -107.0}


def shifted(by):
    frames = dataset().frames
    return Dataset(tuple(replace(f, energy=f.energy - 4.0 * len(f) + by * len(f)) for f in frames))


COHESIVE, TOTAL = shifted(0.0), shifted(ATOMIC["Si"])


@pytest.mark.parametrize(
    ("data", "told", "said", "offset"),
    [
        (TOTAL, None, "energies are total", -107.0),
        (COHESIVE, None, r"cohesive .* are not subtracted", None),
        (COHESIVE, "total", "", -107.0),
        (TOTAL, "cohesive", "", None),
    ],
)
def test_kind_is_decided_once(data, told, said, offset):
    chosen = settings(data=DataSettings(("unused",), reference_energies=ATOMIC, energies=told))
    found = choose(chosen, data, Dataset(()), quiet=True)
    assert (found.energies == "") == (said == "")
    assert re.search(said, found.energies)
    wanted = offset if offset is not None else sum(f.energy for f in data) / data.n_atoms
    assert found.offsets["Si"] == pytest.approx(wanted, rel=1e-3)


def test_nothing_to_decide():
    for data, given in ((TOTAL, {}), (COHESIVE, {"Si": -0.8}), (TOTAL, {"O": -400.0})):
        found = kind_of_energies(data, ("Si",), given)
        assert (found.name, found.line) == ("total", "")


def test_labels_of_both_kinds():
    both = Dataset((*TOTAL.frames, COHESIVE.frames[1]))
    with pytest.raises(StructureError, match=r"structure 1 has a cohesive energy \(.*a total one"):
        kind_of_energies(both, ("Si",), ATOMIC)
    with pytest.raises(OptionError, match="energies = 'free': allowed are 'total' and 'cohesive'"):
        DataSettings(("unused",), energies="free")
