"""The manual's pages that come from the code; mkdocs itself is in .ci/run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnp import functions
from nnp.cutoffs import CutoffKind

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def manual():
    spec = importlib.util.spec_from_file_location("manual", ROOT / "tools" / "manual.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_member_has_a_row(manual):
    table = manual.enum_table("nnp/cutoffs.py", "CutoffKind")
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [kind.name for kind in CutoffKind]
    assert "(1 + cos πx) / 2" in table
    with pytest.raises(ValueError, match="no members"):
        manual.enum_table("nnp/cutoffs.py", "Cutoff")


def test_every_family_has_a_section(manual):
    text = manual.families()
    for name in ("Radial", "Angular", "CompactAngular", "MomentPair"):
        assert f"### {name}\n" in text
        assert getattr(functions, name).__doc__ is not None


def test_links_out_of_the_manual_are_paths(manual):
    page = SimpleNamespace(file=SimpleNamespace(src_path="lammps.md"))
    assert manual.on_page_markdown("see [how](../lammps/README.md).", page) == (
        "see how (`lammps/README.md`)."
    )
    inside = "[t](../training.md#settings)"
    study = SimpleNamespace(file=SimpleNamespace(src_path="studies/argon.md"))
    assert manual.on_page_markdown(inside, study) == inside
    with pytest.raises(ValueError, match="is not there"):
        manual.on_page_markdown("[x](../nothing.md)", page)


def test_folders_in_the_menu_are_their_pages(manual):
    config = manual.on_config({"nav": ["index.md", {"Inside": [{"Decisions": "decisions/"}]}]})
    start, inside = config["nav"]
    pages = inside["Inside"][0]["Decisions"]
    assert start == "index.md"
    assert pages[:2] == [{"Overview": "decisions/README.md"}, "decisions/0001-dependencies.md"]
    assert len(pages) == len(list((ROOT / "docs" / "decisions").glob("*.md")))


def test_every_page_is_in_the_contents():
    contents = (ROOT / "mkdocs.yml").read_text()
    folders = ("studies", "decisions")  # as a whole
    for page in PAGES:
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name.startswith(folders) or name in contents, f"{name} is in no menu of mkdocs.yml"


def test_every_decision_is_in_their_index():
    """By its number and its words; a GPU page's without the word that its heading says."""
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for page in sorted(folder.glob("0*.md")):
        number, title = re.match(r"# (\d+)\. (.*)", page.read_text()).groups()
        assert int(number) == int(page.name[:4])
        assert f"- [{number}. " in index
        assert f"]({page.name})" in index
        assert title.lower().removeprefix("gpu kernels: ") in index.lower()
