"""Disks that are full or read-only, at each file that commands write: one message, nothing lost."""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path

import ase.io
import pytest
from runs import moving_crystal, nnp, write_inputs
from train_data import write_config

from nnp.train.fit.trainer import CHECKPOINT

# (words, what is written, bytes at which the disk is full)
SAMPLE = ("--snapshots", "3", "--interval", "2", "--equilibration", "2")
MD = ("--steps", "20", "--log-interval", "2", "--frame-interval", "10", "--no-pictures")
WRITERS = {
    "convert to a model": (("convert", "model.nnp", "out.nnp"), "out.nnp", 500),
    "convert to a directory": (("convert", "model.nnp", "out"), "out", 100),
    "convert structures": (("convert", "start.extxyz", "out.extxyz"), "out.extxyz", 500),
    "convert to input.data": (("convert", "start.extxyz", "out.data"), "out.data", 500),
    "predict": (("predict", "model.nnp", "start.extxyz", "--output", "o.extxyz"), "o.extxyz", 500),
    "augment": (("augment", "start.extxyz", "out.extxyz"), "out.extxyz", 500),
    "sample": (("sample", "start.extxyz", "out.extxyz", *SAMPLE), "out.extxyz", 3000),
    "md, log": (("md", "model.nnp", "start.extxyz", *MD), "md.csv", 400),
    "md, trajectory": (("md", "model.nnp", "start.extxyz", *MD), "md.extxyz", 5000),
    "md, restart": (("md", "model.nnp", "start.extxyz", *MD), "md.restart", 2000),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Here are model.nnp and start.extxyz."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, moving_crystal())
    return tmp_path


def in_a_child(prepare, words):
    """Exit code and standard error of a command after ``prepare``, in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.dup2(write, 2)
            prepare()
            code = nnp(*words)
        finally:
            os._exit(code)
    os.close(write)
    with open(read, encoding="utf-8") as file:  # noqa: PTH123  a descriptor
        text = file.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), text


def content(path):
    """Of a file, or of the files of a directory."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    return path.read_bytes()


def limited(size, words):
    """See `in_a_child`; files may become no larger than ``size``."""
    return in_a_child(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)), words)


def errors_of(text):
    return [line for line in text.splitlines() if line.startswith("nnp: error: ")]


@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_fills_up(folder, name, capfd):
    words, made, size = WRITERS[name]
    with capfd.disabled():
        code, text = limited(size, words)
    assert code == 1, text
    (line,) = errors_of(text)
    assert "cannot write " in line
    assert "File too large" in line or "disk is full" in line
    assert "Traceback" not in text
    if not name.startswith("md"):  # whose log and trajectory grow
        assert not (folder / made).exists()
    assert list(folder.glob(".*")) == []


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.startswith("md")])
def test_the_old_file_stays(folder, name, capfd):
    words, made, size = WRITERS[name]
    assert nnp(*words) == 0
    before = content(folder / made)
    with capfd.disabled():
        code, text = limited(size, [*words, "--force"])
    assert code == 1, text
    assert len(errors_of(text)) == 1
    assert content(folder / made) == before
    assert list(folder.glob(".*")) == []


@pytest.mark.usefixtures("folder")
def test_the_last_restart_file_stays(capfd):
    """The log is what fills the disk; the run goes on from the restart file afterwards."""
    words = ("md", "model.nnp", "start.extxyz", "--restart-interval", "10", "--no-pictures")
    intervals = ("--log-interval", "1", "--frame-interval", "10000")
    limit = 60_000
    with capfd.disabled():
        code, text = limited(limit, [*words, *intervals, "--steps", "5000"])
    assert code == 1, text
    (line,) = errors_of(text)
    assert "cannot write md.csv" in line
    step = ase.io.read("md.last-good.extxyz").info["step"]
    more = str(step + 10)
    assert nnp(*words, "--restart", "md.restart", "--steps", more) == 0
    assert ase.io.read("md.final.extxyz").info["step"] == step + 10


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which root alone may")
@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_may_not_be_written(folder, name, capfd):
    words, made, _ = WRITERS[name]
    assert nnp(*words, "--force") == 0  # imports everything, which another user may not read
    before = content(folder / made)

    def become_nobody():
        for parent in folder.parents:
            if parent != Path(tempfile.gettempdir()).parent and parent.stat().st_mode & 0o77 == 0:
                parent.chmod(0o711)
        folder.chmod(0o555)
        os.setgid(65534)
        os.setuid(65534)

    with capfd.disabled():
        code, text = in_a_child(become_nobody, [*words, "--force"])
    assert code == 1, text
    (line,) = errors_of(text)
    assert "cannot write " in line
    assert "Permission denied" in line
    assert content(folder / made) == before


def test_training(tmp_path, monkeypatch, capfd):
    """The last whole checkpoint and models stay, and the run goes on from them."""
    monkeypatch.chdir(tmp_path)
    words = ("train", str(write_config(tmp_path)))
    assert nnp(*words) == 0
    (checkpoint,) = tmp_path.rglob(CHECKPOINT)
    kept = content(checkpoint.parent)
    limit = checkpoint.stat().st_size // 2
    with capfd.disabled():
        code, text = limited(limit, [*words, "--force"])
    assert code == 1, text
    (line,) = errors_of(text)
    assert "cannot write " in line
    assert "Traceback" not in text
    for name in (CHECKPOINT, "best.nnp"):
        assert content(checkpoint.parent)[name] == kept[name]
    assert list(checkpoint.parent.glob(".*")) == []
    assert nnp(*words, "--resume") == 0
