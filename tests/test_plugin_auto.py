"""``route="auto"``: the plugin where it can, PythonForce with a sentence where it cannot."""

from __future__ import annotations

import openmm
import pytest
from plugin_systems import crystal, need_plugin, pair_potential

import nnp.openmm
from nnp.openmm import _plugin, routes


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


def is_python(force):
    return isinstance(force, openmm.PythonForce)


@pytest.mark.parametrize("engine", ["auto", "cpu"])
def test_the_plugin_is_the_default(engine):
    force = nnp.openmm.create_force(pair_potential(), crystal(), engine=engine)
    assert _plugin.is_native(force)


def test_other_engines_go_through_python():
    pytest.importorskip("torch", reason="the reference engine needs torch")
    force = nnp.openmm.create_force(pair_potential(), crystal(), engine="reference")
    assert is_python(force)
    assert not _plugin.is_native(force)


def test_without_the_plugin_there_is_a_warning(monkeypatch):
    monkeypatch.setattr(routes, "why_unavailable", lambda: "the OpenMM plugin is missing: …")
    with pytest.warns(RuntimeWarning, match="'auto' takes PythonForce: the OpenMM plugin is"):
        force = nnp.openmm.create_force(pair_potential(), crystal(), engine="cpu")
    assert is_python(force)
