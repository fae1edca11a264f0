"""What the documentation shows works as written."""

from __future__ import annotations

import ast
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

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [
    README,
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "studies").glob("*.md")),
]
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


def shell_lines(page):
    """Lines of a page's shell blocks but for benchmarks' tables; of README its phrases too."""
    text = re.sub(
        r"<!-- table (\w+) -->.*?<!-- end of table \1 -->", "", page.read_text(), flags=re.DOTALL
    )
    blocks = [
        block.replace("\\\n", " ") for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.splitlines()]
    if page == README:  # its table says what to type
        lines += re.findall(r"`(nnp \w+ [^`]+)`", text)
    return [part.strip() for line in lines for part in re.split(r"&&|;|\|", line)]


@pytest.fixture(scope="module")
def parser():
    from nnp.cli.program import build_parser

    return build_parser()


@pytest.fixture(scope="module")
def options(parser):
    """Of each command, the options that it has."""
    (commands,) = [action.choices for action in parser._actions if action.metavar == "COMMAND"]
    return {name: set(command._option_string_actions) for name, command in commands.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_understood(page, parser):
    """Every ``nnp`` line of README and manual parses; the commands have their own tests."""
    for line in shell_lines(page):
        words = shlex.split(line, comments=True)
        if words[:1] == ["nnp"]:
            words = words[1 : words.index(">")] if ">" in words else words[1:]
            parser.parse_args(words)
        if words[:1] == ["python"] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), words[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_sentences_are_there(page, options):
    for command, rest in re.findall(r"`nnp ([a-z]+)\b([^`]*)`", page.read_text()):
        assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", rest)) <= options[command], command + rest


def test_readme_shows_commands():
    assert sum(line.startswith("nnp ") for line in shell_lines(README)) >= 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_imports_what_there_is(page):
    """What the manual's blocks import from nnp is there."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "nnp":
                pytest.importorskip(str(node.module), exc_type=ImportError)
                module = importlib.import_module(str(node.module))
                assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_terms_page_makes_a_repulsion(working_folder):
    block = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "terms.md").read_text(), re.DOTALL)
    exec(compile(block[1], "terms.md", "exec"), {})  # noqa: S102  our own page
    assert nnp.load(working_folder / "with_repulsion.nnp").terms != ()


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
    packages = {f"nnp/{p.parent.name}/" for p in (root / "nnp").glob("*/*") if p.is_file()}
    packages = {name for name in packages if "__pycache__" not in name} | {"nnp_command/"}
    assert {name for name in packages if name not in page} == set()
