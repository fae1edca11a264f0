"""Every kind of damage to a potential's files gives one sentence that says where and what."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from damaged_files import DAMAGE, FILES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnp
from nnp.errors import FileFormatError
from nnp.io import n2p2
from nnp.io.n2p2.data import read_data
from nnp.testing import random_potential


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*looks like angstrom")  # its numbers are made up
def test_undamaged(folder):
    assert nnp.load(folder).elements == ("H", "O")


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage(folder, damage, message):
    name, text = damage
    (folder / name).write_text(text)
    with pytest.raises(FileFormatError) as caught:
        nnp.load(folder)
    assert re.match(re.escape(f"{folder}/") + message, str(caught.value), re.DOTALL)


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_needed(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileFormatError, match=rf"{re.escape(name)} is missing"):
        nnp.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_binary(folder, name):
    data = np.random.default_rng(0).bytes(400)
    (folder / name).write_bytes(b"# text\n" + data)
    with pytest.raises(FileFormatError, match=rf"{re.escape(name)}, line \d+: not text in UTF-8"):
        nnp.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_empty_file(folder, name):
    (folder / name).write_text("")
    with pytest.raises(FileFormatError, match=r"is missing|has 0 weights"):
        nnp.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_directory_in_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(FileFormatError, match=rf"cannot read .*{re.escape(name)}: Is a directory"):
        nnp.load(folder)


def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("name", FILES)
def test_no_permission_for_a_file(folder, name, monkeypatch):
    """Simulated, for root may read everything."""
    read_text = Path.read_text

    def guarded(path, *arguments, **options):
        return refuse() if path.name == name else read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", guarded)
    with pytest.raises(FileFormatError, match=rf"cannot read .*{re.escape(name)}: Permission den"):
        nnp.load(folder)


def test_no_permission_for_the_folder_above(folder, monkeypatch):
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(FileFormatError, match=rf"cannot read {re.escape(str(folder))}: Permission"):
        nnp.load(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", r"nowhere does not exist: give a model file, an n2p2 directory"),
        ("input.nn", r"input\.nn is not a complete nnp model file .* given as its directory"),
        ("empty", r"empty/input\.nn is missing"),
        ("x" * 300, r"cannot read .*: File name too long"),
        ("nul\0", r"nul.* does not exist"),
    ],
)
def test_paths(folder, name, message):
    (folder / "empty").mkdir()
    with pytest.raises(FileFormatError, match=message):
        nnp.load(folder / name)


def test_unknown_units(folder):
    with pytest.raises(nnp.NNPError, match="unknown length unit 'furlong': allowed are angstrom,"):
        nnp.load(folder, units="furlong,eV")


# ---- input.data -----------------------------------------------------------------------------

FRAME = """\
begin
comment a dimer
lattice 9.0 0.0 0.0
lattice 0.0 9.0 0.0
lattice 0.0 0.0 9.0
atom 0.0 0.0 0.0 Si 0.0 0.0 0.1 0.0 0.0
atom 2.0 0.0 0.0 Si 0.0 0.0 -0.1 0.0 0.0
energy -1.0
charge 0.0
end
"""


def test_undamaged_frame(tmp_path):
    (tmp_path / "input.data").write_text(FRAME)
    (frame,) = read_data(tmp_path / "input.data")
    assert (len(frame.structure), frame.comment) == (2, "a dimer")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("end\n", "", r"input\.data: the begin of line 1 has no end: truncated\?"),
        ("begin\n", "", r"input\.data, line 1: 'comment' stands outside of begin … end"),
        (FRAME, "", r"input\.data holds no structure"),
        ("energy -1.0", "energy nan", r"input\.data, line 8: the value nan is not finite"),
        ("energy -1.0", "energy", r"line 8: energy has 0 columns, 1 are expected"),
        ("charge 0.0", "energy 0.0", r"line 9: energy is given twice in one structure"),
        ("charge 0.0", "begin", r"line 9: begin before the end of line 1's begin"),
        ("charge 0.0", "spin 0.0", r"line 9: unknown keyword 'spin': allowed are begin, comment"),
        ("lattice 0.0 0.0 9.0\n", "", r"structure of line 1: 2 lattice rows, 0 or 3 are expected"),
        ("lattice 0.0 0.0 9.0", "lattice 0.0 9.0 0.0", r"structure of line 1: .*span no volume"),
        (
            "lattice 0.0 0.0 9.0",
            "lattice 0.0 0.0",
            r"line 5: lattice has 2 columns, 3 are expected",
        ),
        ("2.0 0.0 0.0 Si", "2.0 inf 0.0 Si", r"line 7: the value inf is not finite"),
        ("2.0 0.0 0.0 Si", "2.0 0.0 0.0 Sx", r"line 7: 'Sx' is not the symbol of an element"),
        (
            "2.0 0.0 0.0 Si",
            "2.0 0.0 Si",
            r"line 7: atom has 8 columns, 9 are expected: x y z symbol",
        ),
    ],
)
def test_damaged_frame(tmp_path, old, new, message):
    assert FRAME.count(old) == 1
    (tmp_path / "input.data").write_text(FRAME.replace(old, new))
    with pytest.raises(FileFormatError, match=message):
        read_data(tmp_path / "input.data")


# ---- anything else --------------------------------------------------------------------------


@st.composite
def damaged_files(draw):
    """The small directory after a few accidents: lines lost, doubled, swapped; characters hit."""
    files = dict(FILES)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(files)))
        lines = files[name].split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        accident = draw(st.sampled_from(["lose", "double", "swap", "flip", "cut"]))
        if accident == "lose":
            del lines[at]
        elif accident == "double":
            lines.insert(at, lines[at])
        elif accident == "swap":
            lines[at], lines[0] = lines[0], lines[at]
        elif accident == "cut":
            lines = lines[: at + 1]
        elif lines[at]:
            column = draw(st.integers(0, len(lines[at]) - 1))
            new = draw(st.sampled_from("0123456789.-+eEdDnafi #!\t\0\x0c_,;:HOlts²é\udcff"))
            lines[at] = lines[at][:column] + new + lines[at][column + 1 :]
        files[name] = "\n".join(lines)
    return files


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files=damaged_files())
def test_accidents_end_in_a_potential_or_a_sentence(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)  # ours: unknown keywords, units
        try:
            models = nnp.load(tmp_path).models
        except nnp.NNPError as error:
            models, message = (), str(error)
    assert models or message.startswith(str(tmp_path))  # names a file
    for model in models:
        assert all(np.isfinite(weight).all() for weight in model.network.weights)
        assert np.isfinite([model.scaling.factor, model.scaling.offset]).all()


def test_every_line_matters_or_is_a_comment(tmp_path):
    """Losing any one line of a written potential is noticed, but for those that have a default."""
    families = ("compact_radial", "compact_angular_wide")
    potential = random_potential(("Si",), 1, families)
    n2p2.write(potential, tmp_path / "p", "atomic")
    optional = ("#", "number_of_elements", "atom_energy", "cutoff_type", "scale_", "center_")
    for path in sorted((tmp_path / "p").iterdir()):
        text = path.read_text()
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.startswith(optional):
                continue
            path.write_text("".join(lines[:number] + lines[number + 1 :]))
            with pytest.raises(FileFormatError):
                nnp.load(tmp_path / "p", "atomic")
        path.write_text(text)
