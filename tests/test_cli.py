"""The command line itself: exit codes, errors and warnings as single lines, streams."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest
from runs import nnp, start_nnp, write_inputs

import nnp as package
from nnp.cli import program
from nnp.errors import OptionError


@pytest.fixture
def failing(monkeypatch):
    """Make ``nnp info`` do something else."""

    def install(error):
        def run(_):
            raise error

        parser = program.build_parser

        def build(commands):
            built = parser(commands)
            (action,) = built._subparsers._group_actions
            action.choices["info"].set_defaults(run=run)
            return built

        monkeypatch.setattr(program, "build_parser", build)

    return install


def test_version_and_help(capsys):
    assert nnp("--version") == 0
    assert capsys.readouterr().out == f"nnp {package.__version__}\n"
    assert nnp("--help") == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in program.COMMANDS)


@pytest.mark.parametrize("command", program.COMMANDS)
def test_every_command_has_help(command, capsys):
    assert nnp(command, "--help") == 0
    assert f"usage: nnp {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["nonsense"], ["info"], ["md", "a", "b", "--steps", "-1"], ["info", "a", "--x"]]
)
def test_wrong_usage_is_2(words, capsys):
    assert nnp(*words) == 2
    text = capsys.readouterr().err
    assert text.startswith("usage: nnp")
    assert text.count("\n") == 2


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OptionError("a value\n  is wrong"), "nnp: error: a value is wrong\n"),
        (OSError(28, "No space left on device", "out"), "nnp: error: out: the disk is full"),
        (PermissionError(13, "Permission denied", "out"), "nnp: error: out: Permission denied"),
        (MemoryError("8 GB"), "nnp: error: out of memory (8 GB): take fewer atoms"),
    ],
)
def test_errors_are_one_line_and_1(error, text, failing, capsys):
    failing(error)
    assert nnp("info", "x") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(text)
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("words", [["--debug", "info", "x"], ["info", "x", "--debug"]])
def test_debug_shows_the_traceback(words, failing, capsys):
    failing(OptionError("wrong"))
    assert nnp(*words) == 1
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert text.endswith("nnp: error: wrong\n")


def test_interrupt_is_130(failing, capsys):
    failing(KeyboardInterrupt())
    assert nnp("info", "x") == 130
    assert capsys.readouterr().err == "nnp: interrupted\n"


def test_interrupt_while_a_command_is_imported(monkeypatch, capsys):
    """Which takes longest of all that happens at the start."""

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(program.importlib, "import_module", interrupted)
    assert nnp("info", "x") == 130
    assert capsys.readouterr().err == "nnp: interrupted\n"


@pytest.mark.parametrize("words", [["info", "x"], ["--debug", "info", "x"]])
def test_only_the_command_asked_for_is_imported(words, monkeypatch):
    imported = []
    load = program.importlib.import_module
    monkeypatch.setattr(
        program.importlib, "import_module", lambda name: imported.append(name) or load(name)
    )
    assert nnp(*words) == 1
    assert [name for name in imported if name.startswith("nnp.cli")] == ["nnp.cli.info"]


def test_a_bug_keeps_its_traceback(failing):
    failing(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        nnp("info", "x")


def test_warnings_are_one_line(monkeypatch, capsys):
    def warn(_):
        warnings.warn("look at\n this", stacklevel=2)
        warnings.warn("for developers", DeprecationWarning, stacklevel=2)

    monkeypatch.setattr(program, "_guarded", lambda words: warn(words) or (0, True))
    assert nnp("info", "x") == 0
    assert capsys.readouterr().err == "nnp: warning: look at this\n"


def test_as_a_process(tmp_path):
    model, structure = write_inputs(tmp_path)
    process = start_nnp("predict", model, structure, "--output", tmp_path / "out.extxyz")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "1 structure, 32 atoms" in out
    process = start_nnp("predict", model, structure, "--output", tmp_path / "out.extxyz")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("nnp: error: ")
    assert "--force" in err


def test_a_reader_that_leaves_is_no_error(tmp_path):
    model, _ = write_inputs(tmp_path)
    command = f"{sys.executable} -m nnp info {model} | true"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert found.stderr == ""


@pytest.mark.parametrize("library", ["torch", "openmm", "matplotlib"])
def test_commands_do_not_need_what_they_do_not_use(tmp_path, library):
    model, structure = write_inputs(tmp_path)
    script = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from nnp.cli import main\n"
        f"main(['info', {model!r}]) or "
        f"main(['predict', {model!r}, {structure!r}, '--output', {str(tmp_path / 'o.xyz')!r}]) or "
        f"sys.exit(main(['md', {model!r}, {structure!r}, '--steps', '2', "
        f"'--output', {str(tmp_path / 'run')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    if library == "openmm":
        assert done.returncode == 1
        assert done.stderr.startswith("nnp: error: nnp.openmm needs OpenMM, which is not installed")
        assert not (tmp_path / "run.csv").exists()
    else:
        assert done.returncode == 0, done.stderr
        pictures = "no pictures: matplotlib is not installed" in done.stdout
        assert pictures == (library == "matplotlib")
