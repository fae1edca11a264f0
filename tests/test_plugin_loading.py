"""The plugin is looked at before it is loaded: what does not fit is refused in a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from plugin_systems import need_plugin

from nnp.openmm import _plugin

MAKE_FORCES = """
import warnings
warnings.simplefilter("ignore")
import openmm, nnp.openmm
from nnp.errors import UnavailableError
from nnp.testing import random_potential
{before}
def make(route):
    return nnp.openmm.create_force(random_potential(), ["Si"], route=route, periodic=False)
try:
    make("native")
except UnavailableError as error:
    print(error)
assert make("python").getName() == "NNP"  # the process lives and has another way
"""


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


def said(library, before=""):
    """What a process says that is given this library."""
    environment = os.environ | {"NNP_OPENMM_LIBRARY": str(library)}
    done = subprocess.run(
        [sys.executable, "-c", MAKE_FORCES.format(before=before)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_right_one_loads(tmp_path):
    """Control: the same script with the library as it is, from another folder."""
    copy = shutil.copy(_plugin.plugin_path(), tmp_path)
    assert said(copy) == ""


def test_built_for_another_openmm(tmp_path):
    """A library for 8.5, which would end the process, is not even opened."""
    other = tmp_path / "libnnp_openmm_8.5.so"
    other.write_text("loading this would be a mistake")
    assert said(other).startswith("the OpenMM plugin was built for OpenMM 8.5, but OpenMM 8.6")
    assert "pip install 'openmm==8.5.*', or use route='python'" in said(other)


def test_running_with_another_openmm():
    """As if OpenMM 8.7 were installed."""
    before = (
        'openmm.version.short_version = "8.7.0"\nfrom nnp.openmm import _plugin\n'
        "_plugin.load_plugin.cache_clear(); _plugin.why_unavailable.cache_clear()"
    )
    text = said(_plugin.plugin_path(), before)
    assert text.startswith("the OpenMM plugin was built for OpenMM 8.6, but OpenMM 8.7.0 is inst")


def test_missing(tmp_path):
    assert said(tmp_path / "libnnp_openmm_8.6.so").startswith(
        "the OpenMM plugin is missing: install nnp from a wheel"
    )


def test_damaged(tmp_path):
    damaged = tmp_path / _plugin.plugin_path().name
    damaged.write_bytes(_plugin.plugin_path().read_bytes()[:100])
    text = said(damaged)
    assert text.startswith(f"the OpenMM plugin {damaged} does not load")
    assert text.endswith("reinstall nnp, or use route='python'")


def test_loading_twice_is_loading_once():
    assert _plugin.load_plugin() is _plugin.load_plugin()
    script = (
        "import openmm, nnp.openmm; from nnp.openmm import _plugin; "
        "openmm.Platform.loadPluginLibrary(str(_plugin.plugin_path()))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
