"""benchmarks/gpu/run_all.sh, rehearsed on PoCL: what a machine with a GPU will run first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GPU = ROOT / "benchmarks" / "gpu"


@pytest.fixture
def scripts(monkeypatch):
    """The folder's modules."""
    monkeypatch.syspath_prepend(str(GPU))
    import run_parts

    yield run_parts
    for name in ("run_parts", "page", "subjects"):
        sys.modules.pop(name, None)


def run_all(*words, **variables):
    return subprocess.run(
        [str(GPU / "run_all.sh"), *words],
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_every_part_runs(tmp_path, scripts):
    cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    try:
        platforms = [platform.name for platform in cl.get_platforms()]
    except cl.Error:
        platforms = []
    if not platforms:
        pytest.skip("there is no OpenCL device (Debian: pocl-opencl-icd)")
    done = run_all(str(tmp_path), "--engine", "opencl", "--small")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    page = (tmp_path / "index.html").read_text()
    for part in scripts.PARTS:
        found = json.loads((tmp_path / f"{part.name}.json").read_text())
        assert found["code"] == 0
        assert found["result"]
        assert all(row.get("ok", True) for row in found["result"].get("rows", []))
        assert f"<h2>{part.name}</h2>" in page
    rows = json.loads((tmp_path / "water.json").read_text())["result"]["rows"]
    assert {row["way"] for row in rows} == {"graph", "step", "call", "vjp", "md"}
    assert all(row["us"] > 0 for row in rows)


def test_what_fails_stops_nothing(tmp_path, scripts, monkeypatch, capsys):
    """A part that dies, one that hangs, one that had measured something before it failed."""
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "dies.py").write_text("raise SystemExit('no such kernel')")
    (parts / "hangs.py").write_text("import time; time.sleep(60)")
    (parts / "half.py").write_text(
        "from subjects import options_of\n"
        "options, result = options_of('A test.')\n"
        "result.row(atoms=7, us=3.5)\n"
        "raise SystemExit(1)\n"
    )
    (parts / "works.py").write_text(
        "from subjects import options_of\n"
        "_, result = options_of('A test.')\n"
        "result['answer'] = 42\n"
    )
    monkeypatch.setattr(scripts, "PARTS", tuple(
        scripts.Part(name, name, seconds)
        for name, seconds in (("dies", 60), ("hangs", 1), ("half", 60), ("works", 60))
    ))  # fmt: skip
    monkeypatch.setattr(scripts, "HERE", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(GPU))
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(sys, "argv", ["run_parts.py", "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        scripts.main()
    assert ended.value.code == 1
    found = {p.stem: json.loads(p.read_text()) for p in out.glob("*.json")}
    assert [found[name]["code"] for name in ("dies", "hangs", "half", "works")] == [1, -1, 1, 0]
    assert "no such kernel" in found["dies"]["output"]
    assert found["half"]["result"]["rows"] == [{"atoms": 7, "us": 3.5}]
    assert found["works"]["result"] == {"answer": 42}
    page = (out / "index.html").read_text()
    assert "no such kernel" in page
    assert "42" in page
    monkeypatch.setattr(
        sys, "argv", ["run_parts.py", "--out", str(out), "--started", str(time.time() - 9999)]
    )
    capsys.readouterr()
    with pytest.raises(SystemExit):
        scripts.main()
    assert capsys.readouterr().out.count("not begun: 25 minutes are over") == 4


def test_what_is_missing_is_said(tmp_path):
    done = run_all()
    assert done.returncode == 2
    assert "run_all.sh" in done.stdout
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    done = run_all("--wheels", str(wheels), str(tmp_path / "out"))
    assert done.returncode == 1
    assert "nnp itself could not be built" in done.stdout
