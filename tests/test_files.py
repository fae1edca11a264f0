"""Outputs take their place whole, where a link points to, and never that of a device."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from pair_potential import pair_potential
from runs import nnp

from nnp.errors import NNPError, OutputExistsError
from nnp.io import scratch
from nnp.io.files import replacing
from nnp.io.structures import check_target


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


def write_folder(path, text):
    """Two files with the same text."""
    with replacing(path, True, directory=True) as scratch_folder:
        for name in ("a", "b"):
            (scratch_folder / name).write_text(text)


def whole(path):
    """The text of a folder whose files are of one round."""
    first, second = ((path / name).read_text() for name in ("a", "b"))
    assert first == second
    return first


def no_exchange(monkeypatch):
    """As on file systems and kernels without RENAME_EXCHANGE."""

    def refuse(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(scratch, "_renameat2", refuse)


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path, monkeypatch, exchanges):
    if not exchanges:
        no_exchange(monkeypatch)
    for text in ("one", "two", "three"):
        write_folder(tmp_path / "p", text)
        assert whole(tmp_path / "p") == text
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def in_a_child(work):
    """Its process id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def kill_at_random(folder, times, seed, work):
    """Kill what replaces ``folder`` again and again; it is whole each time, and so is the next."""
    rng = np.random.default_rng(seed)
    write_folder(folder, "0")

    def replace_for_ever():
        for number in range(1, 10**9):
            work(folder, f"{number}")

    for _ in range(times):
        child = in_a_child(replace_for_ever)
        time.sleep(rng.uniform(0.001, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        yield
    write_folder(folder, "end")
    assert whole(folder) == "end"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("times", [20, pytest.param(500, marks=pytest.mark.exhaustive)])
def test_killed_at_any_moment_a_folder_is_whole(tmp_path, times):
    """With the exchange of Linux it is never away."""
    for _ in kill_at_random(tmp_path / "p", times, 1, write_folder):
        whole(tmp_path / "p")


@pytest.mark.parametrize("times", [20, pytest.param(500, marks=pytest.mark.exhaustive)])
def test_killed_without_exchange_the_next_run_puts_the_old_one_back(tmp_path, monkeypatch, times):
    no_exchange(monkeypatch)
    for _ in kill_at_random(tmp_path / "p", times, 2, write_folder):
        scratch.put_back(tmp_path / "p")
        whole(tmp_path / "p")


def test_killed_between_the_two_renames(tmp_path, monkeypatch):
    no_exchange(monkeypatch)
    potential = pair_potential()
    potential.save(tmp_path / "m.nnp")
    target = tmp_path / "directory"
    words = ("convert", tmp_path / "m.nnp", target, "--force")
    assert nnp(*words) == 0
    names = {path.name for path in target.iterdir()}

    def killed_in_between():
        Path.replace = lambda *_: os._exit(9)
        nnp(*words)

    _, status = os.waitpid(in_a_child(killed_in_between), 0)
    assert os.waitstatus_to_exitcode(status) == 9
    assert not target.exists()
    assert nnp("info", target) == 0
    assert {path.name for path in target.iterdir()} == names
    os.waitpid(in_a_child(killed_in_between), 0)
    assert not target.exists()
    assert nnp(*words) == 0
    assert {path.name for path in target.iterdir()} == names
    assert {path.name for path in tmp_path.iterdir()} == {"m.nnp", "directory"}


def test_scratch_of_a_killed_run_goes_and_that_of_a_live_one_stays(tmp_path):
    def killed():
        with replacing(tmp_path / "c*.npz", True) as path:
            path.write_text("half")
            os._exit(9)

    os.waitpid(in_a_child(killed), 0)
    assert len(list(tmp_path.glob(".c[*].npz.*"))) == 1
    with replacing(tmp_path / "c*.npz", True) as outer:
        outer.write_text("outer")
        os.waitpid(in_a_child(lambda: write(tmp_path / "c*.npz", "inner")), 0)
        assert (tmp_path / "c*.npz").read_text() == "inner"
        assert outer.read_text() == "outer"
    assert (tmp_path / "c*.npz").read_text() == "outer"
    assert [path.name for path in tmp_path.iterdir()] == ["c*.npz"]


def test_other_files_of_such_a_name_stay(tmp_path):
    for name in (".x.notes", ".xy.1.nnp-tmp.txt", ".y.abcd.nnp-tmp"):
        (tmp_path / name).mkdir()
    write(tmp_path / "x", "new")
    assert len(list(tmp_path.iterdir())) == 4


def test_scratch_of_a_process_killed_behind_the_renaming_goes(tmp_path):
    """The file is whole, and what is left beside it goes, though nothing is written again."""

    def killed(*_, **__):
        os._exit(9)

    def writes():
        scratch.shutil.rmtree = killed
        write(tmp_path / "x.xyz", "whole")

    os.waitpid(in_a_child(writes), 0)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OutputExistsError, match="exists"):
        check_target(tmp_path / "x.xyz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.xyz"]
