"""examples/06_ml_mm.py: a molecule by a network in force-field water, and back."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "06_ml_mm.py"


@pytest.fixture(scope="module")
def output():
    """What the example prints."""
    pytest.importorskip("openmmml", reason="needs openmm-ml: pip install 'nnp-md[openmmml]'")
    pytest.importorskip("tblite", reason="needs tblite: pip install 'nnp-md[studies]'")
    strict = ["-W", "error::DeprecationWarning", "-W", "error::FutureWarning"]
    command = [sys.executable, *strict, str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(pattern, text):
    return [float(found) for found in re.findall(pattern, text)]


@pytest.mark.slow
def test_the_example_learns_and_switches(output):
    energy, forces = re.search(r"\(RMSE\): (\S+) meV/atom, (\S+) eV/Å", output).groups()
    assert 0 < float(energy) < 6
    assert 0 < float(forces) < 0.5
    (derivative,), (difference,) = (
        numbers(pattern, output) for pattern in (r"dU/dλ = (\S+) eV,", r"U\(0\) = (\S+) eV")
    )
    assert derivative == pytest.approx(difference, abs=1e-3)  # U is linear in λ
    slopes = numbers(r"<dU/dλ> = (\S+) eV", output)
    assert len(slopes) == 5
    (change,) = numbers(r"to network: (\S+) eV", output)
    assert min(slopes) < change < max(slopes)
    rows = numbers(r"(?m)^\d+,(\d+),", output)
    assert rows  # of the reporter
    assert max(rows) <= 12
