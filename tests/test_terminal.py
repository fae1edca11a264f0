"""Output that cannot be shown ends no command and changes no file."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from ase.io import read
from runs import nnp, write_inputs

from nnp.cli import program
from nnp.md import MDSettings, read_log
from nnp.md.progress import Progress
from nnp.terminal import Stream, plain, progress_bar

SHORT = ("--steps", "20", "--log-interval", "5", "--no-pictures")
SAMPLE = ("--snapshots", "2", "--interval", "2", "--equilibration", "2")


class Broken(io.StringIO):
    """Fails like a full disk, a closed pipe or a terminal that is gone."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, _):
        raise self.error

    def flush(self):
        raise self.error

    def isatty(self):
        raise self.error


FULL, PIPE = OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe")
FAILURES = [FULL, PIPE, OSError(5, "Input/output error"), ValueError("I/O on closed file")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Here are model.nnp and start.extxyz."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path


def commands():
    yield "md", ("model.nnp", "start.extxyz", *SHORT), "md.final.extxyz"
    yield "sample", ("start.extxyz", "s.extxyz", *SAMPLE), "s.extxyz"
    yield "predict", ("model.nnp", "start.extxyz"), "predicted.extxyz"
    yield "convert", ("model.nnp", "n2p2"), "n2p2"
    yield "augment", ("start.extxyz", "a.extxyz"), "a.extxyz"


@pytest.mark.parametrize("error", FAILURES, ids=str)
@pytest.mark.parametrize(("command", "words", "made"), list(commands()), ids=lambda v: v[:7])
def test_streams_that_fail_end_no_command(folder, monkeypatch, command, words, made, error):
    monkeypatch.setattr(sys, "stdout", Broken(error))
    monkeypatch.setattr(sys, "stderr", Broken(error))
    assert nnp(command, *words) == 0
    assert (folder / made).exists()


@pytest.mark.usefixtures("folder")
def test_streams_that_are_not_there(monkeypatch):
    """As Python has them where the descriptors are closed; print would take stdout for stderr."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert nnp("md", "model.nnp", "start.extxyz", *SHORT) == 0
    assert read_log("md.csv")["step"][-1] == 20


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("error", "code"), [(PIPE, 141), (FULL, 1)])
def test_where_the_output_is_all_there_is(monkeypatch, capsys, error, code):
    monkeypatch.setattr(sys, "stdout", Broken(error))
    assert nnp("info", "model.nnp") == code
    found = capsys.readouterr().err
    text = "nnp: error: cannot write to the standard output: the disk is full: make room"
    assert found.startswith(text) if code == 1 else found == ""


def test_the_runner_and_bars_in_a_library(monkeypatch):
    for error in FAILURES:
        monkeypatch.setattr(sys, "stderr", Broken(error))
        progress = Progress(0, 10, MDSettings().timestep)
        for step in range(11):
            progress.update(step, 300.0)
        progress.close()
        assert list(progress_bar(range(3), disable=None)) == [0, 1, 2]
        assert list(progress_bar(range(3))) == [0, 1, 2]


def test_bars_fit_the_terminal_and_leave_it_clean():
    """They were ten columns wide, and too long ones of a fit filled the screen."""
    program = """
from nnp.terminal import progress_bar
for step in progress_bar(range(3), desc="fit", postfix="e" * 90, mininterval=0): pass
print("done", end="")
"""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", program]
    subprocess.run(command, stdout=follower, stderr=follower, check=True)
    os.close(follower)
    drawn = os.read(leader, 65536).decode().split("\r")
    assert max(len(line.replace("\x1b[A", "")) for line in drawn) <= 80
    assert any("100%" in line for line in drawn)
    assert drawn[-1] == "done"
    assert drawn[-2].strip() == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_characters_that_the_stream_does_not_have(encoding):
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding=encoding))
    stream.write("0.1 meV/Å ± 2, r ≤ 6 Å, 10⁻³, 水\n")
    stream.flush()
    assert stream.problem is None
    text = raw.getvalue().decode(encoding)
    assert {
        "ascii": "0.1 meV/A +- 2, r <= 6 A, 10^-3, ?\n",
        "latin-1": "0.1 meV/Å ± 2, r <= 6 Å, 10^-³, ?\n",
        "cp1252": "0.1 meV/Å ± 2, r <= 6 Å, 10^-³, ?\n",
        "utf-8": "0.1 meV/Å ± 2, r ≤ 6 Å, 10⁻³, 水\n",
    }[encoding] == text


def test_everything_that_we_say_has_a_plain_form():
    """No character of our messages becomes a question mark."""
    files = Path(program.__file__).parent.glob("*.py")
    found = {c for file in files for c in file.read_text(encoding="utf-8") if ord(c) > 127}
    assert "Å" in found
    assert [c for c in sorted(found) if "?" in plain(c)] == []


@pytest.mark.parametrize("command", program.COMMANDS)
def test_no_default_is_said_twice(command, capsys):
    assert nnp(command, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert re.findall(r"\(default: [^()]*\) \(default", text) == []


def shell(text):
    """A line of bash with ``nnp``; exit code and standard error."""
    line = text.replace("NNP", f"{sys.executable} -m nnp")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


MD = "NNP md model.nnp start.extxyz --steps 20 --log-interval 5 --no-pictures --force"


@pytest.mark.parametrize(
    "line",
    [
        f"{MD} >&- 2>&- <&-",
        f"{MD} >/dev/full 2>/dev/full",
        f"PYTHONIOENCODING=ascii {MD} >out 2>&1",
        f"set -o pipefail; {MD} 2>&1 | true",
        f"nohup {MD} >nohup.out 2>&1",
    ],
)
def test_as_a_process(folder, line):
    assert shell(line) == (0, "")
    assert read(folder / "md.final.extxyz").info["step"] == 20
    assert read_log("md.csv")["step"][-1] == 20  # and no line of the output in it


@pytest.mark.usefixtures("folder")
def test_as_a_process_whose_reader_is_gone():
    assert shell("NNP info model.nnp | true; exit ${PIPESTATUS[0]}") == (141, "")
    assert shell("NNP info model.nnp > /dev/full")[0] == 1
