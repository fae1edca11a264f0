"""``nnp md`` says its speed, and says so when it has to take PythonForce."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("openmm", reason="OpenMM is not installed")

from ase.build import bulk

SENTENCE = "nnp: warning: route='auto' takes PythonForce: the OpenMM plugin is missing"


def test_fallback_is_said_once(tmp_path):
    bulk("Si", cubic=True).write(tmp_path / "start.extxyz")
    words = ["md", "silicon_sw", "start.extxyz", "--steps", "5", "--no-pictures"]
    environment = os.environ | {"NNP_OPENMM_LIBRARY": str(tmp_path / "nothing")}
    done = subprocess.run(
        [sys.executable, "-m", "nnp", *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ns/day" in done.stdout
    assert done.stderr.count(SENTENCE) == 1
