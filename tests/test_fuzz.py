"""Damaged files of every kind end in a result or an NNPError, within 5 s and 1 GiB.

docs/reliability.md has the figures of a longer run, and the command that makes them.
"""

from __future__ import annotations

import sys

import fuzz_kinds
import pytest
from fuzz_run import run_kind

from nnp.errors import FileFormatError, NNPError

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="limits of memory as Linux has them"
)


@linux_only
@pytest.mark.parametrize("kind", fuzz_kinds.KINDS)
def test_fifty_of_each_kind(kind):
    counts, faults = run_kind(kind, 50)
    assert faults == []
    assert counts.total() == 50
    assert counts["refusal"] > 0


@linux_only
@pytest.mark.slow
@pytest.mark.parametrize("kind", fuzz_kinds.KINDS)
def test_five_hundred_of_each_kind(kind):
    counts, faults = run_kind(kind, 500, seed=1)
    assert faults == []
    assert counts.total() == 500


BEHAVIOURS = {
    "traceback": "raise KeyError('a')",
    "hang": "import time; time.sleep(100)",
    "memory": "bytes(3 * 2**30)",
    "ended by SIGSEGV": "import ctypes; ctypes.string_at(0)",
    "ended by exit 3": "import os; os._exit(3)",
    "slow": "import itertools, time; end = time.process_time() + 6; "
    "next(i for i in itertools.count() if time.process_time() > end)",
}


@linux_only
@pytest.mark.slow
@pytest.mark.parametrize("outcome", BEHAVIOURS)
def test_the_faults_are_seen(outcome, tmp_path, monkeypatch):
    """A kind whose reader does what must not be, at its second file."""
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import sys
from pathlib import Path

def make(folder):
    (folder / "f").write_text("1")
    return folder / "f", ["f"]

seen = []
def read(path):
    seen.append(path)
    if len(seen) == 2:
        {BEHAVIOURS[outcome]}

class Kinds(dict):
    def __missing__(self, kind):
        return make, read

import importlib.abc
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "fuzz_mutations" and "fuzz_kinds" in sys.modules:
            sys.modules["fuzz_kinds"].KINDS = Kinds()
        return None
sys.meta_path.insert(0, Finder())
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    if outcome == "hang":  # sooner: whatever else the machine does, its reader sleeps
        monkeypatch.setattr("fuzz_run.BLOCKED", 8)
    counts, faults = run_kind("made up", 2)
    assert counts[outcome] >= 1
    assert all(f": {outcome}: " in fault for fault in faults)


@pytest.mark.parametrize("error", [NNPError, FileFormatError])
def test_messages_are_for_people(error):
    """Of any length of damaged words, and without what a terminal would obey."""
    text = str(error("a\x1b[2J\0 b" + "x" * 100_000 + "\ud800 end"))
    assert text.startswith(r"a\x1b[2J\x00 bxxx")
    assert text.endswith(r"xxx\ud800 end")
    assert " … " in text
    assert len(text) < 2000
    text.encode()
