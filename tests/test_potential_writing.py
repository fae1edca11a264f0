"""Writing a potential: nothing half written, nothing replaced that was not meant."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import nnp
from nnp.errors import NNPError, OptionError, OutputExistsError
from nnp.io import files, n2p2
from nnp.networks import Activation
from nnp.testing import random_potential


@pytest.fixture(scope="module")
def small():
    """A file of a few hundred bytes, for damage at every place."""
    return random_potential(("Si",), 0, ("compact_radial",), activations=(Activation.TANH,))


def write_n2p2(potential, path, force=False):
    n2p2.write(potential, path, force=force)


def save(potential, path, force=False):
    potential.save(path, force)


WRITERS = pytest.mark.parametrize("write", [save, write_n2p2])


@WRITERS
def test_existing_output(small, tmp_path, write):
    target = tmp_path / "out"
    other = random_potential(("Ge",), 4, ("compact_radial",))
    write(other, target)
    with pytest.raises(OutputExistsError, match=r"out exists: .* force=True \(--force\)"):
        write(small, target)
    assert nnp.load(target, **in_metal(write)).elements == ("Ge",)
    write(small, target, force=True)
    assert nnp.load(target, **in_metal(write)).elements == ("Si",)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def in_metal(write):
    return {"units": "metal"} if write is write_n2p2 else {}


def test_a_file_never_replaces_a_directory_nor_the_reverse(small, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputExistsError, match="folder is a directory and cannot be replaced by"):
        small.save(tmp_path / "folder", force=True)
    with pytest.raises(OutputExistsError, match="file is a file and cannot be replaced by"):
        n2p2.write(small, tmp_path / "file", force=True)
    assert (tmp_path / "file").read_text() == "mine"


def disk_full(*_, **__):
    raise OSError(28, "No space left on device")


def half_written(path, content, **_):
    with open(path, "wb") as file:  # noqa: PTH123 - Path is what is being broken
        file.write(content[: len(content) // 2] if isinstance(content, bytes) else b"half")
    disk_full()


FAILURES = pytest.mark.parametrize(
    ("broken", "by"),
    [
        (("write_bytes", "write_text"), half_written),
        (("replace",), disk_full),
        (("write_bytes", "write_text"), disk_full),
    ],
)


@WRITERS
@FAILURES
@pytest.mark.parametrize("exists", [False, True])
def test_disk_full(small, tmp_path, monkeypatch, write, broken, by, exists):
    """What was there stays as it was; where nothing was, nothing is."""
    target = tmp_path / "out"
    if exists:
        write(random_potential(("Ge",), 4, ("compact_radial",)), target)
    with monkeypatch.context() as patch:
        for name in broken:
            patch.setattr(Path, name, by)
        if "replace" in broken:  # a folder in place of another is exchanged
            patch.setattr(files, "exchange", by)
        with pytest.raises(NNPError, match=r"cannot write .*out: the disk is full; make room"):
            write(small, target, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"] * exists
    if exists:
        assert nnp.load(target, **in_metal(write)).elements == ("Ge",)


@WRITERS
def test_interrupted(small, tmp_path, monkeypatch, write):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    for name in ("write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(small, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@WRITERS
def test_folder_that_is_not_there(small, tmp_path, write):
    with pytest.raises(NNPError, match=r"cannot write .*out: No such file or directory"):
        write(small, tmp_path / "nowhere" / "out")


@WRITERS
def test_no_permission(small, tmp_path, monkeypatch, write):
    """Simulated, for root may write everywhere."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(NNPError, match=r"cannot write .*out: Permission denied"):
        write(small, tmp_path / "out")


def test_files_are_readable_by_others(small, tmp_path):
    """The scratch directory is private; what comes out of it has the usual permissions."""
    mask = os.umask(0o022)
    try:
        small.save(tmp_path / "model.nnp")
        n2p2.write(small, tmp_path / "folder")
    finally:
        os.umask(mask)
    assert (tmp_path / "model.nnp").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755


def test_provenance_that_cannot_be_written(small, tmp_path):
    strange = replace(small, provenance={"when": object()})
    with pytest.raises(OptionError, match=r"provenance cannot be written as JSON: .*object"):
        strange.save(tmp_path / "model.nnp")
    assert list(tmp_path.iterdir()) == []
