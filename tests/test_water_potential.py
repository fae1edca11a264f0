"""The water potential that ships with the package: by its name, on what its provenance says."""

from __future__ import annotations

import numpy as np
import pytest
from default_sets import box

import nnp
from nnp.io.structures import read

FORCE_LIMIT = 0.015  # eV/Å, of the teacher's forces of 0.8 eV/Å
ENERGY_LIMIT = 0.2e-3  # eV/atom


@pytest.fixture(scope="module")
def potential():
    return nnp.load("water_rpbe_d3")


def test_what_it_says_of_itself(potential):
    assert potential.elements == ("H", "O")
    assert potential.provenance["teacher"]["doi"] == "10.1073/pnas.1602375113"
    errors = potential.provenance["errors of runs that the fit has not seen"]
    assert errors["all"]["force_rmse_ev_per_angstrom"] < FORCE_LIMIT


def test_every_engine_takes_it(potential):
    pytest.importorskip("torch", reason="torch is not installed")
    water = box(edge=9.4, each=3)
    found = potential.evaluate(water, stress=True)
    right = potential.evaluate(water, stress=True, engine="reference")
    assert found.energy == pytest.approx(right.energy, rel=1e-12)
    np.testing.assert_allclose(found.forces, right.forces, atol=1e-9)
    single = potential.evaluate(water, dtype="float32")
    np.testing.assert_allclose(single.forces, right.forces, atol=1e-3)


def test_its_teacher_agrees(potential, reference_data):
    """On the box beside the teacher, 1,080 atoms, which the fit has not seen."""
    folder = reference_data / "n2p2" / "H2O_RPBE-D3"
    (water,) = read(folder / "input.data").frames[:1]
    right, found = nnp.load(folder).evaluate(water), potential.evaluate(water)
    assert np.sqrt(np.mean((found.forces - right.forces) ** 2)) < FORCE_LIMIT
    assert abs(found.energy - right.energy) / len(water) < ENERGY_LIMIT
    assert len(found.extrapolations.atoms) == 0
