"""The contract of engines, over every engine there is and one from another package."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest

import nnp
from nnp.engines import Capabilities, create_engine, engine_names, options_of
from nnp.errors import OptionError, UnavailableError
from nnp.testing import check_engine, random_potential
from nnp.testing.structures import structures

POTENTIAL = random_potential(("H", "O"), seed=3)
FEW = ("radial", "angular_wide", "compact_radial")
SMALL = random_potential(("H", "O"), seed=3, families=FEW)
TOY = '''
    """An engine of another package."""

    from nnp.engines import Engine, create_engine


    class ToyEngine(Engine):
        name = "toy"

        def __init__(self, potential, patience=1):
            self.potential = potential
            self._inner = create_engine(potential, "reference")

        def compute(self, structure, forces=True, stress=False, *, virials=False):
            if virials:
                self._lacks("virials of atoms")
            return self._inner.compute(structure, forces, stress)

        def descriptors(self, structure, scaled=False):
            return self._inner.descriptors(structure, scaled)


    def no_class(potential):
        return ToyEngine(potential)
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package on the path that offers engines."""
    about = tmp_path / "nnp_toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nnp-toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[nnp.engines]\ntoy = nnp_toy_engine:ToyEngine\nbroken = nnp_toy_nowhere:Engine\n"
        "function = nnp_toy_engine:no_class\n"
    )
    (tmp_path / "nnp_toy_engine.py").write_text(dedent(TOY))
    monkeypatch.syspath_prepend(tmp_path)


def made(name, **options):
    try:
        return create_engine(POTENTIAL, name, **options)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cpu(dtype):
    check_engine(made("cpu", dtype=dtype))


@pytest.mark.parametrize("name", ["reference", "gpu", "opencl"])
def test_other_engines(name):
    check_engine(made(name))


@pytest.mark.filterwarnings("ignore:engine='auto' takes:RuntimeWarning")
def test_auto():
    check_engine(made("auto"))


@pytest.mark.parametrize("name", ["cpu", "reference"])
def test_committee(name):
    committee = nnp.Committee.of([SMALL, random_potential(("H", "O"), seed=4, families=FEW)])
    check_engine(committee.make_engine(name))


@pytest.mark.usefixtures("toy")
def test_engine_of_another_package():
    assert "toy" in engine_names()
    assert options_of("toy") == ["patience"]
    check_engine(create_engine(SMALL, "toy", patience=2))
    structure = structures(POTENTIAL.elements)["molecule"]
    found = POTENTIAL.evaluate(structure, "toy")
    assert found.energy == POTENTIAL.evaluate(structure, "reference").energy


@pytest.mark.usefixtures("toy")
def test_refusals_name_the_package():
    with pytest.raises(OptionError, match="'toy' has no option 'skin': it takes patience"):
        create_engine(POTENTIAL, "toy", skin=1.0)
    with pytest.raises(UnavailableError, match="'broken' of the package nnp-toy cannot be import"):
        create_engine(POTENTIAL, "broken")
    with pytest.raises(UnavailableError, match="nnp_toy_engine:no_class is not a subclass"):
        create_engine(POTENTIAL, "function")
    with pytest.raises(OptionError, match=r"'toys' is unknown: allowed are auto, .*cpu.*, toy"):
        create_engine(POTENTIAL, "toys")


# ---- what the check finds ----------------------------------------------------------------------


class Spoiled(nnp.Engine):
    """The CPU engine with one thing wrong."""

    name = "spoiled"
    capabilities = Capabilities(products=True)

    def __init__(self, **wrong):
        self.potential = POTENTIAL
        self._inner = create_engine(POTENTIAL, "cpu", threads=1)
        self._wrong = wrong
        if "capabilities" in wrong:
            self.capabilities = wrong["capabilities"]

    def compute(self, structure, forces=True, stress=False, *, virials=False):
        if virials and self._wrong.get("virials", True):
            self._lacks("virials of atoms")
        found = self._inner.compute(structure, forces or "unasked" in self._wrong, stress)
        if "moves" in self._wrong:
            structure.positions[:] += 1
        if "sign" in self._wrong and found.forces is not None:
            found = replace(found, forces=-found.forces)
        if "position" in self._wrong:
            found = replace(found, energy=found.energy + structure.positions[0, 0])
        if "stress" in self._wrong and found.stress is not None:
            found = replace(found, stress=found.stress * 1.001)
        return found

    def descriptors(self, structure, scaled=False):
        return self._inner.descriptors(structure, scaled)

    def descriptor_vjp(self, structure, dl_dg, strain=False):
        pulled, by_strain = self._inner.descriptor_vjp(structure, dl_dg, strain)
        return pulled * self._wrong.get("vjp", 1), by_strain

    def descriptor_jvp(self, structure, displacement=None, strain=None):
        return self._inner.descriptor_jvp(structure, displacement, strain)


WRONG = {
    "slope of the energy": {"sign": True},
    "forces or stress that nobody asked": {"unasked": True},
    "the structure was changed": {"moves": True},
    "sum of energies": {"position": True},
    "the energy|slope": {"stress": True},
    "J v": {"vjp": 1.001},
    "capabilities.products is False": {"capabilities": Capabilities()},
    "capabilities.virials is False": {"virials": False},
    "virials: a float64 array": {
        "virials": False,
        "capabilities": Capabilities(products=True, virials=True),
    },
}


def test_the_unspoiled_passes():
    check_engine(Spoiled())


@pytest.mark.parametrize("message", WRONG)
def test_a_broken_contract_is_found(message):
    with pytest.raises(AssertionError, match=message):
        check_engine(Spoiled(**WRONG[message]))


@pytest.mark.parametrize("name", ["reference", "cpu"])
def test_virials(name):
    """Of each atom: what its energy does when all its neighbours are strained."""
    structure = structures(POTENTIAL.elements)["rattled"]
    engine = create_engine(POTENTIAL, name)
    found = engine.compute(structure, virials=True, stress=True)
    strain = np.random.default_rng(0).normal(size=(3, 3)) * 1e-4

    def energies(factor):
        deformation = np.eye(3) + factor * strain
        moved = replace(
            structure,
            positions=structure.positions @ deformation,
            cell=structure.cell @ deformation,
        )
        return engine.compute(moved, forces=False).energies

    slopes = (8 * (energies(1) - energies(-1)) - (energies(2) - energies(-2))) / 12
    wanted = np.einsum("nab,ab->n", found.virials, strain)
    np.testing.assert_allclose(wanted, slopes, rtol=0, atol=1e-9)
