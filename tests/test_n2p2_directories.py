"""Directories of n2p2 and RuNNer beyond the plain ones: committees, 4G, names, odd columns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from n2p2_files import TINY_INPUT, TINY_SCALING, TINY_WEIGHTS, load_tiny, write_tiny

import nnp
from nnp.cli import main
from nnp.errors import FileFormatError
from nnp.io.n2p2.keywords import IGNORED, READ, SHORT_RANGE_TYPES, UNSUPPORTED
from nnp.structure import Structure

DIMER = Structure([[0.0, 0, 0], [2.0, 0, 0]], [14, 14], np.eye(3), False)
WEIGHTS = {0: TINY_WEIGHTS, 1: "2.5\n0.25\n3.0\n0.5\n", 2: "2.0\n0.25\n3.5\n0.75\n"}


def single(tmp_path, number):
    return nnp.load(write_tiny(tmp_path / f"single{number}", weights=WEIGHTS[number]), "metal")


def committee(tmp_path, *lines, own=True, folders=(1, 2)):
    """A directory with other members' weights in nnp-data-1, nnp-data-2."""
    folder = write_tiny(tmp_path / "p", TINY_INPUT + "".join(f"{line}\n" for line in lines))
    for number in folders:
        (folder / f"nnp-data-{number}").mkdir()
        path = folder / f"nnp-data-{number}" / "weights.014.data"
        path.write_text(WEIGHTS[number if own else number - 1])
    if not own:
        (folder / "weights.014.data").unlink()
    return folder


# ---- committees -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["committee_mode prediction", "committee_mode Prediction"])
@pytest.mark.parametrize("data", ["committee_data nnp-data 3", "committee_dir_prefix nnp-data- 3"])
def test_committee_is_the_mean_of_its_members(tmp_path, mode, data):
    """n2p2 counts the directory's own network as the first."""
    found = nnp.load(committee(tmp_path, mode, data), "metal")
    assert isinstance(found, nnp.Committee)
    energies = [single(tmp_path, number).evaluate(DIMER).energy for number in range(3)]
    assert len(set(energies)) == 3
    result = found.evaluate(DIMER)
    np.testing.assert_allclose(result.energy, np.mean(energies), rtol=1e-14)
    np.testing.assert_allclose(result.energy_deviation, np.std(energies), rtol=1e-12)


def test_committee_with_all_members_in_folders(tmp_path):
    lines = ("committee_mode prediction", "committee_data nnp-data 3")
    folder = committee(tmp_path, *lines, own=False, folders=(1, 2, 3))
    energies = [single(tmp_path, number).evaluate(DIMER).energy for number in range(3)]
    found = nnp.load(folder, "metal").evaluate(DIMER)
    np.testing.assert_allclose(found.energy, np.mean(energies), rtol=1e-14)


def test_committee_of_whole_directories_without_settings_above(tmp_path):
    for number in (2, 10, 1):
        write_tiny(tmp_path / f"nnp-data-{number}", weights=WEIGHTS[number % 3])
    found = nnp.load(tmp_path, "metal")
    assert [m.provenance["name"] for m in found.members] == [f"nnp-data-{n}" for n in (1, 2, 10)]


def test_committee_by_the_command(tmp_path, capsys):
    folder = committee(tmp_path, "committee_mode prediction", "committee_data nnp-data 3")
    assert main(["info", str(folder), "--units", "metal"]) == 0
    out = capsys.readouterr()
    assert "committee   of 3" in out.out
    assert "warning" not in out.err


def test_validation_says_that_one_network_predicts(tmp_path):
    folder = committee(tmp_path, "committee_mode validation", "committee_data nnp-data 3")
    with pytest.warns(UserWarning, match=r"input\.nn, line 7: committee_mode validation: .* alone"):
        found = nnp.load(folder, "metal")
    assert not isinstance(found, nnp.Committee)
    assert found.evaluate(DIMER).energy == single(tmp_path, 0).evaluate(DIMER).energy


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        (["committee_data nnp-data 3"], r"line 7: without committee_mode prediction"),
        (["committee_mode disabled", "committee_data nnp-data 3"], "line 8: without committee_m"),
    ],
)
def test_committees_that_are_switched_off(tmp_path, lines, warning):
    with pytest.warns(UserWarning, match=warning):
        assert not isinstance(nnp.load(committee(tmp_path, *lines), "metal"), nnp.Committee)


def test_a_folder_beyond_the_count_is_said(tmp_path):
    folder = committee(tmp_path, "committee_mode prediction", "committee_data nnp-data 2")
    with pytest.warns(UserWarning, match="own and those of nnp-data-1 to nnp-data-1.*-2 is not re"):
        assert len(nnp.load(folder, "metal").members) == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["committee_mode prediction"], "line 7: committee_mode prediction needs committee_data"),
        (["committee_mode all"], "line 7: committee_mode is 'all': allowed are disabled, valid"),
        (["committee_mode"], "line 7: committee_mode has 0 arguments"),
        (
            ["committee_mode prediction", "committee_data nnp-data 5"],
            r"line 8: committee_data nnp-data 5: there is no folder nnp-data-3, nnp-data-4",
        ),
        (["committee_mode prediction", "committee_data nnp-data"], "line 8: .* has 1 arguments"),
        (["committee_mode prediction", "committee_data a b"], "line 8: .* 'a' where a whole num"),
        (["committee_mode prediction", "committee_data nnp-data 1"], "line 8: .*two or more"),
    ],
)
def test_committees_that_cannot_be(tmp_path, lines, message):
    with pytest.raises(FileFormatError, match=message):
        nnp.load(committee(tmp_path, *lines), "metal")


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("scaling.data", "1 1 0.0 2.5 0.5 0.25\n", "the scaling of Si"),
        ("input.nn", TINY_INPUT.replace("6.0", "6.5"), "the symmetry functions of Si"),
        ("input.nn", TINY_INPUT + "atom_energy Si 1.0\n", "the energy per atom of Si"),
        (
            "input.nn",
            TINY_INPUT + "mean_energy 0\nconv_energy 2\nconv_length 1\n",
            "the normalisation",
        ),
    ],
)
def test_members_of_their_own_kind(tmp_path, name, text, what):
    lines = ("scale_symmetry_functions", "committee_mode prediction", "committee_data nnp-data 3")
    folder = committee(tmp_path, *lines)
    inner = text + "scale_symmetry_functions\n" if name == "input.nn" else text
    (folder / "nnp-data-2" / name).write_text(inner)
    with pytest.raises(FileFormatError, match=rf"nnp-data-2 and .* differ in {what}"):
        nnp.load(folder, "metal")


# ---- charges --------------------------------------------------------------------------------

FOUR_G = [
    "nnp_generation 4",
    "nnp_type 4G-HDNNP",
    "nnp_type 4G",
    "nnp_type 4",
    "nn_type 4G-HDNNP",
    "nnp_type_gen 4",
    "nnp_gen 4",
]


@pytest.mark.parametrize("line", FOUR_G)
def test_charge_equilibrated_potentials_are_called_so(tmp_path, line):
    """Whatever stands before that line: it explains the rest."""
    text = "use_electrostatics\nfixed_gausswidth Si 2.0\n" + TINY_INPUT + line + "\n"
    folder = write_tiny(tmp_path / "p", text, weights=TINY_WEIGHTS + "1.0\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FileFormatError, match=rf"line 9: {line} is .*charge-equilibrated.*4G"):
            nnp.load(folder)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("nnp_generation 3", "charges from networks"),
        ("nnp_type Q-HDNNP", "a network for charges"),
        ("nnp_type 10", "a network for charges"),
        ("nn_type_short 2", "pairs of atoms"),
        ("nnp_generation 1", "a network for charges"),
    ],
)
def test_other_kinds(tmp_path, line, what):
    with pytest.raises(FileFormatError, match=rf"line 7: {line} is not supported: .*{what}"):
        load_tiny(tmp_path / "p", line)


@pytest.mark.parametrize("line", ["nnp_generation 2", "nnp_type 2G-HDNNP", "nnp_type_gen 2"])
def test_short_range_by_any_name(tmp_path, line):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_tiny(tmp_path / "p", line)


COMMANDS = [
    ["info", "P"],
    ["predict", "P", "S"],
    ["convert", "P", "OUT.nnp"],
    ["evaluate", "P", "S"],
    ["md", "P", "S", "--steps", "1", "--output", "OUT"],
    ["sample", "S", "OUT.extxyz", "--teacher", "P", "--static"],
    ["bench", "P"],
    ["train", "P/input.nn"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_every_command_refuses_4g_in_one_line(tmp_path, words, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_tiny(tmp_path / "p", TINY_INPUT + "nnp_generation 4\n")
    structures = tmp_path / "s.xyz"
    structures.write_text("2\n\nSi 0 0 0\nSi 2 0 0\n")
    names = {"P": str(folder), "S": str(structures)}
    words = [names.get(w, w.replace("OUT", str(tmp_path / "out"))) for w in words]
    words = [w.replace("P/input.nn", str(folder / "input.nn")) for w in words]
    assert main(words) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert "charge-equilibrated" in errors[0]
    assert not list(tmp_path.glob("out*"))


def test_the_reference_cases_are_refused(reference_data):
    folders = sorted(path.parent for path in (reference_data / "4g").glob("*/input.nn"))
    if not folders:
        pytest.skip("no 4g folder among the reference data")
    for folder in folders:
        with pytest.raises(FileFormatError, match=r"input\.nn, line 2: .*charge-equilibrated"):
            nnp.load(folder)


def test_files_of_charges_beside_a_short_range_potential(tmp_path):
    folder = write_tiny(tmp_path / "p")
    (folder / "hardness.014.data").write_text("0.1\n")
    with pytest.warns(UserWarning, match=r"hardness\.014\.data and what else .* is not used"):
        nnp.load(folder, "metal")
    write_tiny(folder, weights=TINY_WEIGHTS + "1.0\n")
    with pytest.raises(FileFormatError, match=r"belong together; hardness.* nnp_type 4G-HDNNP mis"):
        nnp.load(folder, "metal")


# ---- names and keywords ---------------------------------------------------------------------


def test_best_weights_of_runner(tmp_path):
    folder = write_tiny(tmp_path / "p")
    wanted = nnp.load(folder, "metal").evaluate(DIMER).energy
    (folder / "weights.014.data").rename(folder / "optweights.014.out")
    with pytest.warns(UserWarning, match=r"weights\.014\.data is missing: RuNNer's optweights"):
        assert nnp.load(folder, "metal").evaluate(DIMER).energy == wanted


@pytest.mark.parametrize("name", ["weights.014.000025.out", "000025.short.014.out"])
def test_weights_of_epochs_are_named(tmp_path, name):
    folder = write_tiny(tmp_path / "p")
    (folder / "weights.014.data").rename(folder / name)
    with pytest.raises(FileFormatError, match=rf"weights\.014\.data is missing: copy .*{name}"):
        nnp.load(folder, "metal")


def test_keywords_stand_in_one_list():
    lists = [READ, IGNORED, frozenset(UNSUPPORTED), frozenset(SHORT_RANGE_TYPES)]
    assert sum(map(len, lists)) == len(frozenset().union(*lists))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("scale_symetry_functions", "did you mean 'scale_symmetry_functions'?"),
        ("comittee_mode prediction", "did you mean 'committee_mode'?"),
        ("xyzzy 1", "check its spelling"),
    ],
)
def test_spelling(tmp_path, line, hint):
    with pytest.warns(UserWarning, match=rf"line 7: unknown keyword .* is ignored; {hint}"):
        load_tiny(tmp_path / "p", line)


def test_runners_names_of_the_scaling_range(tmp_path):
    """They were ignored: another energy without a word."""
    lines = ["scale_symmetry_functions", "scale_min_short_atomic -1", "scale_max_short_atomic 3"]
    scaling = load_tiny(tmp_path / "p", *lines).models[0].scaling
    assert (scaling.target_min, scaling.target_max) == (-1.0, 3.0)
    with pytest.raises(FileFormatError, match=r"line 8: .* is repeated, after line 7"):
        load_tiny(tmp_path / "q", "scale_min_short 0", "scale_min_short_atomic -1")


def test_inner_fraction_of_runner(tmp_path):
    plain = load_tiny(tmp_path / "a", "cutoff_type 1 0.25").evaluate(DIMER).energy
    for number, lines in enumerate([["cutoff_type 1", "cutoff_alpha 0.25"], ["cutoff_alpha .25"]]):
        found = load_tiny(tmp_path / str(number), *lines).evaluate(DIMER).energy
        assert found == plain
    assert plain != load_tiny(tmp_path / "b").evaluate(DIMER).energy
    with pytest.raises(FileFormatError, match=r"line 8: cutoff_alpha is 0\.5, but cutoff_type say"):
        load_tiny(tmp_path / "c", "cutoff_type 1 0.25", "cutoff_alpha 0.5")
    with pytest.raises(FileFormatError, match=r"line 7: cutoff_alpha .*inner fraction"):
        load_tiny(tmp_path / "d", "cutoff_alpha 1.5")


# ---- columns --------------------------------------------------------------------------------

TWO_FUNCTIONS = TINY_INPUT + "symfunction_short Si 1 Si 5.0\n"
SIX_WEIGHTS = "2.0 a 1 0 1 1 1\n1.0 a 2 0 2 1 1\n0.25 b 3 1 1\n3.0 a 4 1 1 2 1\n0.5 b 5 2 1\n"


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        ("1 1 0 2 .5 .1\n1 2 0 2 .5\n", r"line 2: 5 columns, but 6 in line 1: element, function"),
        ("1 1 0 2 .5\n1 2 0 2 .5 .1\n", r"line 2: 6 columns, but 5 in line 1"),
        ("1 1 0 2 .5 .1\n1 2 0 2 # .5 .1\n", r"line 2: 4 columns, 5 or 6 are expected"),
        ("1 1 0 2 .5 .1\n1 2 0 2 .5 # .1\n", r"line 2: 5 columns, but 6 in line 1"),
        ("1 1 0 2 2.5 .1\n1 2 0 2 .5 .1\n", r"line 1: the mean 2\.5 is not between min 0 and max"),
        ("1 1 0 2 .5 .1\n1 2 1 2 .5 .1\n", r"line 2: the mean 0\.5 is not between min 1 and max 2"),
        ("1 1 0 2 .5 -.1\n1 2 0 2 .5 .1\n", r"line 1: sigma is -0\.1: a standard deviation"),
        ("1 1 0 2 nan .1\n1 2 0 2 .5 .1\n", r"line 1: the value nan is not finite"),
        ("1 1 0 2 .5 low\n1 2 0 2 .5 .1\n", r"line 1: 'low' is not a number"),
        ("1 1 0 2 .5 ٠\n1 2 0 2 .5 .1\n", r"line 1: '٠' is not a number"),
    ],
)
def test_scaling_that_cannot_be(tmp_path, scaling, message):
    folder = write_tiny(tmp_path / "p", TWO_FUNCTIONS, scaling, SIX_WEIGHTS)
    with pytest.raises(FileFormatError, match=rf"scaling\.data, {message}"):
        nnp.load(folder, "metal")


def test_a_mean_may_be_rounded(tmp_path):
    """A function that never changed: its mean has fewer digits than its minimum."""
    load_tiny(tmp_path / "p", scaling="1 1 0.123456789 0.123456789 0.123457 0.0\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.0 a 2 0 2 1 1", "1.0", r"line 2: type 'missing' where 'a' belongs .*single value"),
        ("1.0 a 2 0 2 1 1", "1.0 # a 2 0 2 1 1", r"line 2: type 'missing' where 'a' belongs"),
        ("1.0 a 2 0 2 1 1", "1.0 a", r"line 2: layers and neurons missing where 0 2 1 1"),
        ("1.0 a 2 0 2 1 1", "1.0 a 2 0 # 2 1 1", r"line 2: layers and neurons 0 where 0 2 1 1"),
        ("1.0 a 2", "one a 2", r"line 2: 'one' is not a number"),
        ("0.25 b 3 1 1", "0.25 b 3 1 1 7", r"line 3: layers and neurons 1 1 7 where 1 1 belong"),
    ],
)
def test_weights_that_cannot_be(tmp_path, old, new, message):
    assert SIX_WEIGHTS.count(old) == 1
    folder = write_tiny(
        tmp_path / "p", TWO_FUNCTIONS, TINY_SCALING + "1 2 0 2 .5 .1\n", SIX_WEIGHTS
    )
    nnp.load(folder, "metal")
    (folder / "weights.014.data").write_text(SIX_WEIGHTS.replace(old, new))
    with pytest.raises(FileFormatError, match=rf"weights\.014\.data, {message}"):
        nnp.load(folder, "metal")
