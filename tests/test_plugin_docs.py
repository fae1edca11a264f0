"""docs/plugin.md works as written, block after block."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from plugin_systems import need_plugin

PAGE = Path(__file__).parents[1] / "docs" / "plugin.md"


def test_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    need_plugin()
    model = files("nnp") / "data" / "silicon_sw.nnp"
    shutil.copy(str(model), tmp_path / "potential.nnp")
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        if "openmmml" in block:
            pytest.importorskip("openmmml", reason="needs openmm-ml: pip install openmmml")
        exec(block, names)  # noqa: S102  our own page
    assert "kJ/mol" in capsys.readouterr().out
