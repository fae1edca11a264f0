"""The training examples run as they are written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "word"), [("04_train_silicon", "potential:"), ("05_active_learning", "round 2")]
)
def test_example(tmp_path, name, word):
    command = [sys.executable, EXAMPLES / f"{name}.py", tmp_path / "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
