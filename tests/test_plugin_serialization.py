"""The plugin's force in XML, in copies, and with another potential."""

from __future__ import annotations

import base64
import copy
import pickle
import re
import subprocess
import sys

import numpy as np
import openmm
import pytest
from plugin_systems import (
    ENERGY_RTOL,
    context_of,
    crystal,
    energy_ev,
    forces_ev,
    need_plugin,
    pair_potential,
)

import nnp.openmm
from nnp.errors import OptionError
from nnp.testing import random_potential

OPTIONS = {
    "route": "native",
    "scale_parameter": "a & b",
    "scale": 0.1,
    "threads": 2,
    "skin": 0.25,
    "dtype": "float32",
    "target": "baseline",
    "max_extrapolations": 7,
    "not_finite": "pass",
    "gpu_kernels": True,
}


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


@pytest.fixture
def system():
    return nnp.openmm.create_system(pair_potential(), crystal(), route="native")


@pytest.fixture
def positions():
    return nnp.openmm.to_openmm(crystal()).positions_nm


def attributes(force):
    text = openmm.XmlSerializer.serialize(force)
    return dict(re.findall(r'(\w+)="([^"]*)"', text.split("<Force", 1)[1]))


def test_xml_keeps_everything():
    topology = nnp.openmm.to_openmm(crystal()).topology
    force = nnp.openmm.create_force(random_potential(("Si", "O")), topology, **OPTIONS)
    force.setForceGroup(5)
    force.setName("<alchemy>")
    text = openmm.XmlSerializer.serialize(force)
    again = openmm.XmlSerializer.deserialize(text)
    assert openmm.XmlSerializer.serialize(again) == text
    assert again.getForceGroup() == 5
    assert again.getName() == "<alchemy>"
    assert again.usesPeriodicBoundaryConditions()
    found = attributes(again)
    assert found["scaleParameter"] == "a &amp; b"
    assert float(found["defaultScale"]) == 0.1
    assert [found[name] for name in ("precision", "threads", "target")] == ["1", "2", "1"]
    assert found["gpuKernels"] == "1"
    assert float(found["skin"]) == 0.25
    assert [found[name] for name in ("allowNotFinite", "maxExtrapolations")] == ["1", "7"]


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        copy.copy,
        lambda system: pickle.loads(pickle.dumps(system)),  # noqa: S301  our own
        lambda s: openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(s)),
    ],
    ids=["deepcopy", "copy", "pickle", "xml"],
)
def test_systems_can_be_copied(system, positions, duplicate):
    before = context_of(system, positions)
    again = duplicate(system)
    context = context_of(again, positions)
    assert energy_ev(context) == energy_ev(before)
    assert (forces_ev(context) == forces_ev(before)).all()
    # two forces, two monitors
    assert nnp.openmm.monitor(again.getForce(0)).evaluations == 2
    assert nnp.openmm.monitor(system.getForce(0)).evaluations == 2


def test_a_new_process_reads_the_system(system, positions, tmp_path):
    """``import nnp.openmm`` is all it takes."""
    path = tmp_path / "system.xml"
    path.write_text(openmm.XmlSerializer.serialize(system))
    np.save(tmp_path / "positions.npy", positions)
    script = f"""
import numpy, openmm, nnp.openmm
system = openmm.XmlSerializer.deserialize(open({str(path)!r}).read())
context = openmm.Context(system, openmm.VerletIntegrator(0.001),
                         openmm.Platform.getPlatform("Reference"))
context.setPositions(numpy.load({str(tmp_path / "positions.npy")!r}))
print(repr(context.getState(energy=True).getPotentialEnergy()._value))
"""
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    wanted = context_of(system, positions).getState(energy=True).getPotentialEnergy()._value
    assert float(out) == wanted


def damage(force, name, change):
    """The XML of a force with one attribute changed."""
    text = openmm.XmlSerializer.serialize(force)
    value = attributes(force)[name]
    return text.replace(f'{name}="{value}"', f'{name}="{change(value)}"')


def with_byte(index, value):
    def change(text):
        content = bytearray(base64.b64decode(text))
        content[index] = value
        return base64.b64encode(content).decode()

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("version", lambda _: 3, "of version 3, this plugin reads version 2: install"),
        ("version", lambda _: 1, "written by an older nnp.*: create the force again"),
        ("potential", with_byte(0, 5), "not a complete nnp model file.*create the force again"),
        ("potential", with_byte(8, 0), r"header announces 0 and \d+ numbers"),
        ("potential", with_byte(15, 255), r"header announces \d+ and \d+ numbers"),
        ("potential", with_byte(24, 1), "their checksum is wrong"),
        ("potential", with_byte(-1, 1), "their checksum is wrong"),
        ("potential", with_byte(100, 77), "their checksum is wrong"),
        ("potential", lambda text: text[:96], r"header announces \d+ and \d+ numbers"),
        ("potential", lambda text: text[:40] + "?" + text[41:], r"'\?' at position 40"),
        ("potential", lambda text: text[:40] + "é" + text[41:], "has the byte 195 at position 40"),
        ("potential", lambda _: "", "not a complete nnp model file"),
        ("atomicNumbers", lambda _: "BwAAAA==", "particle 0 has atomic number 7.*it has 14"),
        ("defaultScale", lambda _: "nan", "not a finite number"),
    ],
)
def test_damaged_xml_is_refused_in_a_sentence(system, name, change, message):
    text = damage(system.getForce(0), name, change)
    with pytest.raises(openmm.OpenMMException, match=message):
        openmm.XmlSerializer.deserialize(text)
    whole = openmm.XmlSerializer.serialize(system)
    force = openmm.XmlSerializer.serialize(system.getForce(0))
    old, new = (re.search(r"<Force ([^>]*)/>", x)[1] for x in (force, text))
    assert old in whole
    with pytest.raises(openmm.OpenMMException, match=message):
        openmm.XmlSerializer.deserialize(whole.replace(old, new))


ODD_VALUES = ("", "nan", "-7", "99999999999999999999", "1e400", "é", "AAAA", "A")


def energy_of_text(text, start):
    """Read a force, evaluate it."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*start.box_nm)
    for mass in start.masses:
        system.addParticle(mass)
    system.addForce(openmm.XmlSerializer.deserialize(text))
    return energy_ev(context_of(system, start.positions_nm, "CPU"))


def test_odd_values_anywhere_in_the_xml_are_harmless():
    """Each is refused in a sentence, or is one of the values that make sense there."""
    start = nnp.openmm.to_openmm(crystal(1))
    force = nnp.openmm.create_force(pair_potential(), start.topology, route="native")
    text, refused = openmm.XmlSerializer.serialize(force), set()
    for name, value in attributes(force).items():
        for odd in ODD_VALUES:
            changed = text.replace(f'{name}="{value}"', f'{name}="{odd}"', 1)
            try:
                energy_of_text(changed, start)
            except openmm.OpenMMException as error:
                refused.add(name)
                assert len(str(error)) > 20  # noqa: PT017  the others do not raise
    assert refused >= {"version", "potential", "atomicNumbers", "precision", "target"}
    assert refused >= {"threads", "skin", "defaultScale", "forceGroup", "type"}


def test_a_force_alone_can_be_pickled():
    start = nnp.openmm.to_openmm(crystal())
    force = nnp.openmm.create_force(pair_potential(), start.topology, route="native")
    force.setForceGroup(3)
    again = pickle.loads(pickle.dumps(force))  # noqa: S301  our own
    assert again.getForceGroup() == 3
    assert attributes(again) == attributes(force)


def test_another_potential_in_a_context(system, positions):
    other = random_potential(("Si",), seed=9)
    context, untouched = context_of(system, positions), context_of(system, positions)
    before = energy_ev(context)
    force = system.getForce(0)
    nnp.openmm.update_force(force, other, context)
    wanted = other.evaluate(crystal(), "cpu").energy
    assert wanted != pytest.approx(before, rel=1e-3)
    assert energy_ev(context) == pytest.approx(wanted, rel=ENERGY_RTOL)
    assert energy_ev(untouched) == before
    nnp.openmm.update_force(force, other, untouched)
    assert energy_ev(untouched) == pytest.approx(wanted, rel=ENERGY_RTOL)
    assert energy_ev(context_of(system, positions)) == pytest.approx(wanted, rel=ENERGY_RTOL)


def test_updates_that_do_not_fit(system, positions):
    force = system.getForce(0)
    context = context_of(system, positions)
    before = energy_ev(context)
    with pytest.raises(OptionError, match=r"particle 0 has atomic number 14.*it has 8"):
        nnp.openmm.update_force(force, random_potential(("O",)), context)
    foreign = context_of(copy.deepcopy(system), positions)
    with pytest.raises(OptionError, match="is not in this Context: give one made from the System"):
        nnp.openmm.update_force(force, pair_potential(), foreign)
    python = nnp.openmm.create_force(pair_potential(), crystal(), route="python")
    with pytest.raises(OptionError, match="is not of route='native'"):
        nnp.openmm.update_force(python, pair_potential())
    assert energy_ev(context) == before
