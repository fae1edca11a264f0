"""Every study runs in its quick mode, and its numbers are what physics allows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[1] / "examples" / "studies"

# Script → number of results.json ("a > b" goes into a table) → what it must lie between.
BOUNDS: dict[str, dict[str, tuple[float, float]]] = {}


def run(name, folder, **environment):
    command = [sys.executable, str(STUDIES / f"{name}.py"), "--output", str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def number(results, name):
    for key in name.split(" > "):
        results = results[int(key) if isinstance(results, list) else key]
    return results


def test_no_study_is_left_out():
    scripts = {path.stem for path in STUDIES.glob("*.py")} - {"frame"}
    assert scripts == set(BOUNDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_quick_mode(name, tmp_path):
    finished = run(name, tmp_path)
    assert finished.returncode == 0, finished.stderr
    record = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert record["mode"] == "quick"
    assert list(tmp_path.glob("*.png"))
    for key, (least, most) in BOUNDS[name].items():
        assert least <= number(record["numbers"], key) <= most, key


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_a_missing_package_is_one_sentence(name, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\")")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    finished = run(name, tmp_path / "results", PYTHONPATH=path)
    assert finished.returncode == 1
    assert "torch" in finished.stderr.splitlines()[-1]
    assert "pip install" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "results" / "results.json").exists()


@pytest.mark.parametrize("name", BOUNDS)
def test_page_shows_what_the_full_mode_made(name):
    page = (STUDIES.parents[1] / "docs" / "studies" / f"{name}.md").read_text(encoding="utf-8")
    folder = STUDIES.parents[1] / "docs" / "studies" / name
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert record["mode"] == "full"
    pictures = list(folder.glob("*.png"))
    assert pictures
    for picture in pictures:
        assert f"{name}/{picture.name}" in page
    assert f"python examples/studies/{name}.py --full" in page
