"""Every dialect of n2p2's and RuNNer's files is understood: order, keywords, units."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from n2p2_files import (
    TINY_INPUT,
    TINY_SCALING,
    TINY_WEIGHTS,
    assert_same_potential,
    load_tiny,
    small_potential,
    write_tiny,
)

import nnp
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.functions import Angular, Radial, RadialCosine, canonical_order
from nnp.io import n2p2
from nnp.io.n2p2.functions import cutoff_maker, read_function
from nnp.io.n2p2.keywords import IGNORED
from nnp.io.n2p2.settings import Settings
from nnp.units import BOHR, UnitSystem

# ---- the order of functions -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["H2O_RPBE-D3", "DMABN_SCAN"])
def test_order_is_that_of_n2p2(reference_data, name):
    folder = reference_data / "n2p2" / name
    wanted = {}
    for line in (folder / "symmetry_function_order.txt").read_text().splitlines():
        if found := re.fullmatch(r"(\w+)\s+(\d+)\s+line\s+(\d+)\s+type\s+\d+", line.strip()):
            element, index, number = found.groups()
            wanted.setdefault(element, {})[int(index)] = int(number) + 1  # counted from 0
    settings = Settings(folder / "input.nn")
    make_cutoff = cutoff_maker(settings.one("cutoff_type"))
    elements = settings.required("elements").arguments
    found = {element: [] for element in elements}
    for entry in settings.all("symfunction_short"):
        central, function = read_function(entry, elements, make_cutoff, BOHR)
        found[central].append((function, entry.line))
    assert set(wanted) == set(found)
    for element, pairs in found.items():
        lines = {id(function): line for function, line in pairs}
        ordered = [lines[id(f)] for f in canonical_order(f for f, _ in pairs)]
        assert ordered == [wanted[element][i] for i in range(1, len(pairs) + 1)]


def test_elements_are_ordered_by_atomic_number(tmp_path):
    """Whatever the elements line says, row 1 of scaling.data belongs to the lightest."""
    potential = small_potential(("H", "O"))
    n2p2.write(potential, tmp_path / "p")
    path = tmp_path / "p" / "input.nn"
    path.write_text(path.read_text().replace("elements H O", "elements O H"))
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), potential)


def test_order_of_lines_does_not_matter(tmp_path):
    potential = small_potential(("H", "O"))
    n2p2.write(potential, tmp_path / "p")
    path = tmp_path / "p" / "input.nn"
    lines = path.read_text().splitlines()
    assert lines != lines[::-1]
    path.write_text("\n".join(reversed(lines)))
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), potential)


# ---- dialects -------------------------------------------------------------------------------


def test_weights_are_values_in_order(tmp_path):
    """By layer, weights before biases; a value alone on its line will do."""
    network = load_tiny(tmp_path / "p").models[0].network
    np.testing.assert_array_equal(np.ravel(network.weights), [2.0, 3.0])
    np.testing.assert_array_equal(np.ravel(network.biases), [0.25, 0.5])


def test_order_of_weights_within_a_layer(tmp_path):
    """Start neuron outer, end neuron inner."""
    lines = ["symfunction_short Si 1 Si 5.0", "global_nodes_short 2"]
    values = "\n".join(str(v) for v in range(9))
    scaling = "1 1 0 1 .5 .1\n1 2 0 1 .5 .1\n"
    potential = load_tiny(
        tmp_path / "p", *lines, drop=["global_nodes_short"], weights=values, scaling=scaling
    )
    first, second = potential.models[0].network.weights
    np.testing.assert_array_equal(first, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(potential.models[0].network.biases[0], [4, 5])
    np.testing.assert_array_equal(second, [[6], [7]])


SAME_TINY = {
    "Fortran numbers": {
        "settings": TINY_INPUT.replace("6.0", "0.6d1"),
        "weights": "2.0D0\n2.5d-1\n.3d+1\n0.05D+01\n",
        "scaling": "1 1 0.0d0 2.0D0 5.0d-1 2.5D-01\n",
    },
    "comments": {
        "settings": "# n2p2\n! RuNNer\n\n" + TINY_INPUT.replace("6.0", "6.0 ! bohr # elements H"),
        "weights": "# first\n! second\n\n2.0 # a\n0.25\n3.0 ! b\n0.5\n",
        "scaling": "\n# header\n" + TINY_SCALING + "! end",
    },
    "no last newline": {
        "settings": TINY_INPUT.rstrip("\n"),
        "weights": TINY_WEIGHTS.rstrip("\n"),
        "scaling": TINY_SCALING.rstrip("\n"),
    },
    "Windows": {
        "settings": "\ufeff" + TINY_INPUT.replace("\n", "\r\n"),
        "weights": TINY_WEIGHTS.replace("\n", "\r\n"),
        "scaling": TINY_SCALING.replace("\n", "\r\n"),
    },
    "tabs": {"settings": TINY_INPUT.replace(" ", "\t"), "scaling": TINY_SCALING.replace(" ", "\t")},
    "symfunction": {"settings": TINY_INPUT.replace("symfunction_short", "symfunction")},
    "all columns": {
        "weights": "2.0 a 1 0 1 1 1\n0.25 b 2 1 1\n3.0 a 3 1 1 2 1\n0.5 b 4 2 1\n",
    },
    "cutoff_type 1": {"settings": TINY_INPUT + "cutoff_type 1\n"},
    "cutoff_type 1 0.0": {"settings": TINY_INPUT + "cutoff_type 1 0.0\n"},
    "no normalisation": {
        "settings": TINY_INPUT + "mean_energy 0.0\nconv_energy 1.0\nconv_length 1.0\n"
    },
    "scaling range without scaling": {
        "settings": TINY_INPUT + "scale_min_short 0\nscale_max_short 1\n"
    },
    "element's own network": {
        "settings": TINY_INPUT.replace("nodes_short 1", "nodes_short 9")
        + "element_nodes_short Si 1\n"
    },
    "short-range types": {
        "settings": TINY_INPUT + "nnp_type 2G-HDNNP\nnnp_gen 2\nnn_type_short 1\n"
    },
}


@pytest.mark.parametrize("files", SAME_TINY.values(), ids=SAME_TINY)
def test_dialects_mean_the_same(tmp_path, files):
    wanted = nnp.load(write_tiny(tmp_path / "plain"), units="metal")
    assert_same_potential(nnp.load(write_tiny(tmp_path / "dialect", **files), "metal"), wanted)


def test_runner_types_1_and_4(tmp_path):
    """G1 is a radial function with η = 0; G3 has no counterpart in n2p2. No keyword: cosine."""
    lines = ["symfunction_short Si 4 Si 0.75 5.0"]
    scaling = TINY_SCALING + "1 2 0 1 0.5 0.1\n"
    potential = load_tiny(
        tmp_path / "p", *lines, scaling=scaling, weights="1 2 3 0 0".replace(" ", "\n")
    )
    assert potential.models[0].functions == (
        Radial("Si", 0.0, 0.0, Cutoff(CutoffKind.COSINE, 6.0)),
        RadialCosine("Si", 0.75, Cutoff(CutoffKind.COSINE, 5.0)),
    )
    bohr = nnp.load(tmp_path / "p", "atomic").models[0].functions[1]
    np.testing.assert_allclose([bohr.kappa, bohr.radius], [0.75 / BOHR, 5.0 * BOHR], rtol=1e-15)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Si 3 Si Si 0.1 -1 2 5.0", (True, 0.0)),
        ("Si 3 Si Si 0.1 -1 2 5.0 0.7", (True, 0.7)),
        ("Si 9 Si Si 0.1 -1 2 5.0", (False, 0.0)),
        ("Si 9 Si Si 0.1 -1 2 5.0 0.7", (False, 0.7)),
    ],
)
def test_angular_shift_is_optional(tmp_path, line, wanted):
    potential = load_tiny(tmp_path / "p", f"symfunction_short {line}", drop=["symfunction_short"])
    (function,) = potential.models[0].functions
    narrow, r_shift = wanted
    cutoff = Cutoff(CutoffKind.COSINE, 5.0)
    assert function == Angular(("Si", "Si"), 0.1, -1.0, 2.0, r_shift, cutoff, narrow)


def test_scaling_of_runner_has_no_sigma_and_a_last_line(tmp_path):
    scaling = load_tiny(tmp_path / "p", scaling="1 1 0.0 2.0 0.5\n-12.5 -3.25\n").models[0].scaling
    np.testing.assert_array_equal(
        [scaling.minimum, scaling.maximum, scaling.mean, scaling.sigma], [[0], [2], [0.5], [0]]
    )


@pytest.mark.parametrize(
    ("keywords", "wanted"),
    [
        ([], "none"),
        (["center_symmetry_functions"], "center"),
        (["scale_symmetry_functions"], "scale"),
        (["center_symmetry_functions", "scale_symmetry_functions"], "scale_center"),
        (["scale_symmetry_functions_sigma"], "scale_sigma"),
    ],
)
def test_keywords_choose_the_scaling(tmp_path, keywords, wanted):
    lines = [*keywords, "scale_min_short -1", "scale_max_short 3"]
    scaling = load_tiny(tmp_path / "p", *lines).models[0].scaling
    assert (scaling.mode.value, scaling.target_min, scaling.target_max) == (wanted, -1.0, 3.0)


def test_normalize_nodes_divides_each_sum_by_its_inputs(tmp_path):
    lines = ["symfunction_short Si 1 Si 5.0", "global_nodes_short 3"]
    rng = np.random.default_rng(4)
    options = {
        "drop": ["global_nodes_short"],
        "scaling": "1 1 0 1 .5 .1\n1 2 0 1 .5 .1\n",
        "weights": "\n".join(map(repr, rng.normal(size=13).tolist())),
    }
    plain = load_tiny(tmp_path / "plain", *lines, **options).models[0].network
    folded = load_tiny(tmp_path / "folded", *lines, "normalize_nodes", **options).models[0].network
    x = rng.normal(size=2)
    for weights, biases, got_w, got_b in zip(
        plain.weights, plain.biases, folded.weights, folded.biases, strict=True
    ):
        node = (x @ weights + biases) / len(x)
        np.testing.assert_allclose(x @ got_w + got_b, node, rtol=1e-14)
        x = node


# ---- units that cannot be right -------------------------------------------------------------


@pytest.mark.parametrize(
    ("cutoff", "units", "warned"),
    [
        (6.0, None, True),  # 3.2 Å if bohr, 6 Å if Å
        (12.0, None, False),  # 6.4 Å
        (8.0, None, False),  # 4.2 Å
        (6.0, "atomic", False),  # said so
        (6.0, "metal", False),
        (2.0, None, False),  # neither would be usual
    ],
)
def test_warning_about_units(tmp_path, cutoff, units, warned, recwarn):
    write_tiny(tmp_path / "p", TINY_INPUT.replace("6.0", str(cutoff)))
    nnp.load(tmp_path / "p", units=units)
    assert len(recwarn) == warned
    if warned:
        message = str(recwarn[0].message)
        assert re.search(
            r"p: the files are taken to be in bohr, hartree, but the largest cutoff, 6, looks like "
            r"angstrom: if so, give units='angstrom,eV' \(--units angstrom,eV\)",
            message,
        )
        assert recwarn[0].filename == __file__


def test_warning_about_bohr_read_as_angstrom(tmp_path):
    write_tiny(tmp_path / "p", TINY_INPUT.replace("6.0", "12.0"))
    potential = nnp.load(tmp_path / "p", units="metal")
    assert "12, looks like bohr: if so, give units='atomic'" in n2p2.unit_warning(potential)
    assert n2p2.unit_warning(replace(potential, units=UnitSystem("nm", "eV"))) is None


# ---- keywords -------------------------------------------------------------------------------


def test_known_keywords_without_effect_are_silent(tmp_path):
    lines = [f"{keyword} 1" for keyword in sorted(IGNORED)]
    wanted = load_tiny(tmp_path / "plain")
    assert_same_potential(load_tiny(tmp_path / "p", *lines), wanted)


def test_unknown_keyword_warns_with_file_and_line(tmp_path):
    with pytest.warns(UserWarning, match=r"input\.nn, line 7: unknown keyword 'cutof_type'"):
        load_tiny(tmp_path / "p", "cutof_type 2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nnp_type 4G-HDNNP", r"line 7: nnp_type 4G-HDNNP is not supported: only short-range"),
        ("nnp_gen 4", r"line 7: nnp_gen 4 is not supported"),
        ("nn_type_short 2", r"line 7: nn_type_short 2 is not supported"),
        ("use_electrostatics", r"line 7: use_electrostatics is not supported: .*3G, 4G"),
        ("global_symfunction_short 2 0.1 0 6", r"is not supported: write one symfunction_short"),
    ],
)
def test_charges_are_refused(tmp_path, line, message):
    with pytest.raises(nnp.NNPError, match=message):
        load_tiny(tmp_path / "p", line)
