"""What the documentation shows works as written."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

import nnp

README = Path(__file__).parents[1] / "README.md"
# Scripts by nature, not modules: importing them runs them.
NOT_IMPORTED = {"nnp.__main__"}


def module_names():
    found = pkgutil.walk_packages(nnp.__path__, "nnp.")
    return sorted({module.name for module in found} - NOT_IMPORTED)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """A folder as README's reader has it: a potential in one file, another as a directory."""
    model = files("nnp") / "data" / "silicon_sw.nnp"
    shutil.copy(str(model), tmp_path / "potential.nnp")
    nnp.io.n2p2.write(
        nnp.load(tmp_path / "potential.nnp"), tmp_path / "my-n2p2-directory", "atomic"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", module_names())
def test_doctests(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    examples = [
        example
        for name in ("nnp.units", "nnp.elements", "nnp.functions.radial", "nnp.evaluation")
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    ]
    assert len(examples) >= 5


@pytest.mark.parametrize("code", blocks("python"), ids=range(len(blocks("python"))))
def test_readme_python(code, working_folder):  # noqa: ARG001  the fixture changes directory
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  our own page


def test_readme_shows_python():
    assert len(blocks("python")) >= 3


def test_readme_commands_are_understood():
    """Every ``nnp`` line and phrase of the README parses; the commands have their own tests."""
    from nnp.cli.program import build_parser

    lines = [line for block in blocks("bash") for line in block.splitlines()]
    lines += re.findall(r"`(nnp \w+ [^`]+)`", README.read_text())
    commands = [part.strip() for line in lines for part in line.split("&&") if "nnp " in part]
    commands = [shlex.split(command, comments=True) for command in commands]
    commands = [words[1:] for words in commands if words[:1] == ["nnp"]]
    commands = [words[: words.index(">")] if ">" in words else words for words in commands]
    assert len(commands) >= 4
    for words in commands:
        build_parser().parse_args(words)


def test_the_map_shows_what_there_is():
    """Every path of docs/architecture.md leads somewhere."""
    root = README.parent
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = "nnp|kernels|plugin|lammps|benchmarks|examples|tests|docs"
    paths = set(re.findall(rf"\b(?:{folders})/[\w/.*]*", page))
    links = re.findall(r"\]\(([\w./]+)\)", page)
    assert len(paths) > 30
    missing = {path for path in paths if not list(root.glob(path.rstrip("/.")))}
    assert missing | {link for link in links if not (root / "docs" / link).exists()} == set()
