"""What stands before the code: versions, extras, commit messages, the report of a machine."""

from __future__ import annotations

import builtins
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

import nnp
import nnp_command
from nnp.cli import main
from nnp.distribution import DISTRIBUTION, install, refuse_another

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_one_name():
    """Of the distribution, in what installs it and in messages."""
    assert PROJECT["name"] == DISTRIBUTION
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    own = {match[1] for line in extras if (match := re.match(r"([\w-]+)\[", line))} & {
        "nnp",
        DISTRIBUTION,
    }
    assert own == {DISTRIBUTION}


def test_the_other_project_is_refused(tmp_path):
    """Its 0.0.4 installs so3.py and vib.py into the same folder."""
    refuse_another(tmp_path)
    (tmp_path / "so3.py").touch()
    with pytest.raises(ImportError, match=f"pip uninstall nnp, .*--force-reinstall {DISTRIBUTION}"):
        refuse_another(tmp_path)


# An editable install finds the checkout before any folder does.
NO_EDITABLE = (
    "import sys; "
    "sys.meta_path = [f for f in sys.meta_path if 'ScikitBuild' not in type(f).__name__]; "
)


def test_the_other_project_is_refused_in_either_order(tmp_path):
    """Installed after ours, its ``__init__.py`` has taken the place of ours."""
    package = tmp_path / "nnp"
    package.mkdir()
    for path in (ROOT / "nnp").iterdir():
        if path.name != "__pycache__":
            (package / path.name).symlink_to(path)
    (package / "so3.py").touch()
    for other in (False, True):
        if other:
            (package / "__init__.py").unlink()
            (package / "__init__.py").touch()
        for program in (
            "import nnp.ase",
            "import nnp_command; raise SystemExit(nnp_command.main())",
        ):
            done = subprocess.run(
                [sys.executable, "-c", NO_EDITABLE + program],
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 1
            last = done.stderr.splitlines()[-1]
            assert f"pip install --force-reinstall {DISTRIBUTION}" in last
        assert done.stderr.startswith("nnp: error: ")


def test_one_version():
    lammps = tomllib.loads((ROOT / "lammps" / "pyproject.toml").read_text())["project"]["version"]
    citation = re.search(r"(?m)^version: (\S+)", (ROOT / "CITATION.cff").read_text())
    recipe = re.search(r"(?m)^  version: (\S+)", (ROOT / "recipe" / "recipe.yaml").read_text())
    assert {lammps, citation[1], recipe[1], PROJECT["version"]} == {nnp.__version__}


def test_extras_that_messages_name():
    named = set()
    for file in (ROOT / "nnp").rglob("*.py"):
        named |= set(re.findall(r"install\(['\"](\w+)['\"]\)", file.read_text()))
    assert "plot" in named
    assert named <= set(PROJECT["optional-dependencies"])


def test_report_of_the_machine(capsys):
    assert main(["info", "--debug"]) == 0
    printed = capsys.readouterr().out
    for row in (
        f"nnp         {nnp.__version__}",
        "cpu engine  /",
        "packages    numpy ",
        "openmm  ",
    ):
        assert row in printed
    assert main(["info"]) == 2
    assert "nnp info --debug" in capsys.readouterr().err


def test_info_begins_without_what_only_the_report_needs():
    """ASE's builders and the benchmarks would make it twice as slow."""
    program = "import sys, nnp.cli.info; print('nnp.bench' in sys.modules, 'ase' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("words", ["train si.xyz", "train si.xyz --dry-run", "train fit.toml"])
def test_training_without_torch_says_so(words, tmp_path):
    """One line, whichever part of the training comes first."""
    write(tmp_path / "si.xyz", bulk("Si"), format="extxyz")
    (tmp_path / "fit.toml").write_text("[data]\n")
    program = "import sys; sys.modules['torch'] = None; from nnp.cli import main; "
    program += f"sys.exit(main({words.split()}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert f"training needs torch, which is not installed: {install('torch')}" in done.stderr
    assert "Traceback" not in done.stderr


def test_export_without_torch_says_so():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "try: from nnp.openmm import export_torchscript\n"
        "except Exception as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    expected = f"export_torchscript needs torch, which is not installed: {install('torch')}\n"
    assert done.stdout == expected


def test_no_command_begins_with_torch():
    """It takes a second; vesin brings it."""
    program = (
        "import sys; from nnp.cli.program import COMMANDS, build_parser; build_parser(COMMANDS); "
        "print('torch' in sys.modules, 'vesin' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("Read blank lines\n\nThey ended the reader.\n# a comment of git.", None),
        ("x" * 73, "73 characters"),
        ("Read blank lines.", "full stop"),
        ("Read\nblank", "second line"),
        ("", "no subject"),
    ],
)
def test_commit_messages(message, complaint):
    spec = importlib.util.spec_from_file_location("rules", ROOT / "tools" / "commit_message.py")
    rules = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rules)
    found = rules.complaints(message)
    assert not found if complaint is None else any(complaint in line for line in found)


def test_ctrl_c_while_the_command_is_imported(monkeypatch, capsys):
    """A second on a busy machine, in which Python showed a traceback."""
    assert PROJECT["scripts"]["nnp"] == "nnp_command:main"
    real = builtins.__import__

    def interrupted(name, *rest):
        if name == "nnp.cli":
            raise KeyboardInterrupt
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    assert nnp_command.main() == 130
    assert capsys.readouterr() == ("", "nnp: interrupted\n")


def test_the_command_imports_nothing_before_it_can_be_interrupted():
    program = "import nnp_command, sys; print('nnp' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_nnp_alone_leads_on(capsys):
    """A line of what it is and five that say what to type, on 80 columns."""
    from nnp.cli.program import COMMANDS

    assert main([]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 6
    assert max(len(line) for line in printed) <= 80
    typed = {match[1] for line in printed for match in re.finditer(r"\bnnp ([a-z]+)\b", line)}
    assert {"demo", "info", "md", "train"} <= typed <= set(COMMANDS)


def test_sdist_has_what_git_tracks(tmp_path):
    """All of it, and no file that happens to lie in the working tree."""
    for module in ("build", "scikit_build_core"):
        pytest.importorskip(module, reason="makes the sdist")
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: git cannot say what belongs to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    tracked = {name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()}
    tree = tmp_path / "tree"
    for name in tracked:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    for command in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tree, check=True)
    at_the_top = tree / "results.txt", tree / "runs" / "md.log"
    for stray in (*at_the_top, tree / "nnp" / "stray.py", tree / "docs" / "stray.png"):
        stray.parent.mkdir(exist_ok=True)
        stray.touch()
    in_folders = {"nnp/stray.py", "docs/stray.png"}
    options = ["--sdist", "--no-isolation"]
    for command, more in (
        ([tree / ".ci" / "wheel", tmp_path / "clean"], set()),
        ([sys.executable, "-m", "build", "-o", tmp_path / "plain"], in_folders),
    ):
        subprocess.run([*command, *options], cwd=tree, check=True, capture_output=True)
        (sdist,) = Path(command[-1]).glob("nnp_md-*.tar.gz")
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert names == tracked | more | {"PKG-INFO"}


def test_conda_recipe_renders():
    """What conda-forge would build, with what pyproject.toml asks for at run time."""
    rattler = pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    variants = """
c_stdlib: [sysroot]
c_stdlib_version: ['2.34']
cxx_compiler: [gxx]
python: ['3.12']
"""
    recipe = rattler.Stage0Recipe.from_file(ROOT / "recipe" / "recipe.yaml")
    (rendered,) = recipe.render(rattler.VariantConfig.from_yaml(variants))
    assert (rendered.recipe.package.name, rendered.recipe.package.version) == (
        DISTRIBUTION,
        nnp.__version__,
    )
    asked = {re.split(r"[ >=]", line)[0] for line in PROJECT["dependencies"]}
    run = rendered.recipe.requirements.to_dict()["run"]
    assert {line.split()[0] for line in run} == asked | {"python"}
    # conda-forge's linter, R-024: no version of python where a package is compiled
    assert "python" in run
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert f'match(python, "<{lowest}")' in str(recipe.to_dict()["build"]["skip"])
