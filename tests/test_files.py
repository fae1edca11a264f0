"""Outputs take their place whole, where a link points to, and never that of a device."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnp.errors import NNPError, OutputExistsError
from nnp.io.files import replacing


def write(path, text, force=True):
    with replacing(path, force) as scratch:
        assert scratch.name == path.name
        scratch.write_text(text)


@pytest.mark.parametrize("there", [True, False], ids=["file", "nothing"])
def test_a_link_stays_one(tmp_path, there):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "run7.bin", tmp_path / "best.nnp"
    if there:
        target.write_text("old")
    link.symlink_to("far/run7.bin")
    write(link, "new")
    assert link.readlink() == Path("far/run7.bin")
    assert target.read_text() == link.read_text() == "new"
    assert {path.name for path in tmp_path.rglob("*")} == {"far", "run7.bin", "best.nnp"}
    with pytest.raises(OutputExistsError, match=r"best\.nnp exists"):
        write(link, "newer", force=False)


def test_a_link_to_a_directory_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "old").write_text("")
    (tmp_path / "link").symlink_to("real")
    with replacing(tmp_path / "link", True, directory=True) as scratch:
        (scratch / "new").write_text("")
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["new"]


def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "link").symlink_to("missing/file")
    with pytest.raises(NNPError, match=r"cannot write .*link: No such file"):
        write(tmp_path / "link", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_pipe_is_not_replaced(tmp_path):
    """As a device such as /dev/null is not, which no test should try."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputExistsError, match="pipe is a device or a pipe and cannot be"):
        write(tmp_path / "pipe", "new")
    assert (tmp_path / "pipe").is_fifo()
