"""Tables of the benchmark beside LAMMPS: in pages, from the numbers and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openmm", reason="OpenMM is not installed")

from bench_lammps import build_parser, chosen_subjects, main
from beside_lammps.sizes import of_size
from beside_lammps.tables import page_of, write_page
from lammps_stand_in import stand_in

from nnp.bench.lammps_script import Conditions
from nnp.errors import NNPError
from nnp.structure import Structure
from nnp.testing import random_potential

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "benchmarks" / "results").glob("openmm_lammps*.json"))


def test_tables_go_into_pages(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table x -->\nold\n<!-- end of table x -->\nb\n")
    for text in ("one \\1\n", "two\n"):
        write_page(f"{page}#x", text)
        assert page.read_text() == f"a\n<!-- table x -->\n{text}<!-- end of table x -->\nb\n"


@pytest.mark.parametrize(
    "page",
    [
        None,
        "no place",
        "<!-- table x -->\n",
        "<!-- end of table x -->\n<!-- table x -->\n",
        2 * "<!-- table x -->\n<!-- end of table x -->\n",
        "<!-- table x -->\n<!-- table x -->\n<!-- end of table x -->\n",
    ],
)
def test_pages_without_a_place(page, tmp_path, capsys):
    file = tmp_path / "page.md"
    if page is not None:
        file.write_text(page)
    with pytest.raises(
        NNPError, match=r"cannot be read as a page|has no one place for a table 'x'"
    ):
        write_page(f"{file}#x", "text")
    quick = ["--atoms", "3", "--routes", "--styles", "--markdown", f"{file}#x"]
    assert main(["silicon_sw", "--lammps", "nothing", *quick]) == 1
    said = capsys.readouterr()
    assert "page" in said.err
    assert "atom-steps" not in said.out  # nothing was measured in vain
    assert len(said.out.splitlines()) == 1, "the line of the potential's units"
    assert page is None or file.read_text() == page


def test_command_writes_into_a_page(tmp_path):
    page, record = tmp_path / "page.md", tmp_path / "record.json"
    page.write_text("<!-- table x -->\n<!-- end of table x -->\nb\n")
    small = ["--atoms", "8", "--repeats", "1", "--block-seconds", "0.01", "--routes"]
    fake = ["--styles", "hdnnp", "--lammps", str(stand_in(tmp_path))]
    files = ["--json", str(record), "--markdown", f"{page}#x"]
    assert main(["silicon_sw", *small, *fake, *files]) == 0
    text = page_of(json.loads(record.read_text()))
    assert f"<!-- table x -->\n{text}<!-- end of table x -->\nb\n" == page.read_text()
    assert "| LAMMPS hdnnp | 8 | 2 | 5 |" in text
    assert "were the same within" in text
    assert "LAMMPS 1 Jan 2030" in text


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_the_page_has_the_numbers(path):
    """Tables of the page are what was measured; `write_page` puts them there."""
    name = path.stem.removeprefix("openmm_lammps_")
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    text = page_of(json.loads(path.read_text()))
    assert f"<!-- table {name} -->\n{text}<!-- end of table {name} -->\n" in page


def test_there_are_numbers():
    assert len(RECORDS) == 3


# ---- what is measured ----


def test_where_gpu_platforms_evaluate():
    words = ["x", "--lammps", "--styles", "--platforms", "CPU", "CUDA", "--gpu-kernels"]
    arguments = build_parser().parse_args([*words, "device", "host", "--routes", "native", "torch"])
    found = chosen_subjects(arguments, random_potential(("Si",), 1, ("radial",)), Conditions())
    assert {subject.name: subject.options.get("gpu_kernels") for subject in found} == {
        "OpenMM CPU native": None,
        "OpenMM CPU torch": None,
        "OpenMM CUDA native, kernels device": True,
        "OpenMM CUDA native, kernels host": False,
        "OpenMM CUDA torch": None,
    }


def test_clusters_do_not_tear_molecules():
    """A chain of water along a periodic axis, split by the cell's face."""
    water = np.array([(0.0, 0, 0), (0.96, 0, 0), (-0.24, 0.93, 0)])
    along = 3.0 * np.arange(8)[:, None, None] * (1, 0, 0)
    positions = (water + along).reshape(-1, 3) % (24, 9, 9)
    box = Structure(positions, np.tile([8, 1, 1], 8), np.diag([24.0, 9, 9]), np.ones(3, bool))
    for asked, got in ((1, 3), (3, 3), (4, 6), (7, 9), (24, 24)):
        cluster = of_size(box, asked)
        assert len(cluster) == got
        assert cluster.symbols.count("O") * 2 == cluster.symbols.count("H")
    oxygen = of_size(box, 9).positions[np.array(of_size(box, 9).symbols) == "O"]
    np.testing.assert_allclose(np.sort(oxygen[:, 0]), (-3, 0, 3), atol=1e-12)
