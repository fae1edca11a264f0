"""What docs/openmm.md shows works as written."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from ase.build import bulk

pytest.importorskip("openmm", reason="OpenMM is not installed")

PAGE = Path(__file__).parents[1] / "docs" / "openmm.md"


def write_crystal(path):
    """Of two cells along each axis, wider than the cutoff's double."""
    from openmm import app

    from nnp.openmm import to_openmm

    start = to_openmm(bulk("Si", cubic=True) * (2, 2, 2))
    with path.open("w") as file:
        app.PDBFile.writeFile(start.topology, 10 * start.positions_nm, file)


def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    shutil.copy(str(files("nnp") / "data" / "silicon_sw.nnp"), tmp_path / "potential.nnp")
    monkeypatch.chdir(tmp_path)
    write_crystal(tmp_path / "crystal.pdb")
    names = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  our own page
    assert len(names["frame"]) == 64
    assert names["watch"].evaluations > 0
    assert (tmp_path / "portable.pt").exists()
