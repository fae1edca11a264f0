"""n2p2's and RuNNer's directories: written files are read back, every dialect is understood."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import nnp
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError, OutputExistsError
from nnp.io import n2p2
from nnp.io.n2p2.functions import cutoff_maker, read_function
from nnp.io.n2p2.keywords import IGNORED
from nnp.io.n2p2.settings import Settings
from nnp.networks import Activation, Network
from nnp.potential import ElementModel
from nnp.scaling import Scaling, ScalingMode
from nnp.symmetry_functions import Angular, Radial, RadialCosine, canonical_order, describe
from nnp.testing import FAMILIES, random_potential, structures
from nnp.units import BOHR, HARTREE, KJ_PER_MOL, UnitSystem

# Parameters are written with fifteen digits (5e-15 behind a leading 1) and pass through a unit.
PARAMETER_RTOL = 6e-15
N2P2_FAMILIES = tuple(family for family in FAMILIES if family != "radial_cosine")
N2P2_LETTERS = "ltsprgcSeh"

# One element, one neuron: G1, the cosine cutoff and a linear network give E = w G + b.
TINY_INPUT = """\
number_of_elements 1
elements Si
global_hidden_layers_short 1
global_nodes_short 1
global_activation_short l l
symfunction_short Si 1 Si 6.0
"""
TINY_SCALING = "1 1 0.0 2.0 0.5 0.25\n"
TINY_WEIGHTS = "2.0\n0.25\n3.0\n0.5\n"


def write_tiny(folder, settings=TINY_INPUT, scaling=TINY_SCALING, weights=TINY_WEIGHTS):
    folder.mkdir(exist_ok=True)
    (folder / "input.nn").write_text(settings, encoding="utf-8")
    (folder / "scaling.data").write_text(scaling, encoding="utf-8")
    (folder / "weights.014.data").write_text(weights, encoding="utf-8")
    return folder


def load_tiny(folder, *lines, drop=(), **files):
    """The tiny potential with lines added to, and keywords dropped from, its ``input.nn``."""
    kept = [line for line in TINY_INPUT.splitlines() if line.split()[0] not in drop]
    return nnp.load(write_tiny(folder, "\n".join([*kept, *lines]) + "\n", **files), units="metal")


def numbers_of(function):
    values = dict(vars(function))
    cutoff = values.pop("cutoff", None)
    if cutoff is not None:
        values |= {"cutoff_kind": cutoff.kind, "r_c": cutoff.radius, "alpha": cutoff.inner_fraction}
    exact = {k: v for k, v in values.items() if not isinstance(v, float)}
    return exact, np.array([v for v in values.values() if isinstance(v, float)])


def assert_same_potential(got, wanted):
    assert got.elements == wanted.elements
    np.testing.assert_allclose(got.energy_scale, wanted.energy_scale, rtol=PARAMETER_RTOL)
    for mine, its in zip(got.models, wanted.models, strict=True):
        for ours, theirs in zip(mine.functions, its.functions, strict=True):
            assert type(ours) is type(theirs)
            assert numbers_of(ours)[0] == numbers_of(theirs)[0]
            np.testing.assert_allclose(
                numbers_of(ours)[1], numbers_of(theirs)[1], rtol=PARAMETER_RTOL
            )
        np.testing.assert_allclose(mine.energy_offset, its.energy_offset, rtol=PARAMETER_RTOL)
        for name in ("minimum", "maximum", "mean", "sigma"):
            np.testing.assert_array_equal(getattr(mine.scaling, name), getattr(its.scaling, name))
        for name in ("mode", "target_min", "target_max"):
            assert getattr(mine.scaling, name) == getattr(its.scaling, name)
        assert mine.network.activations == its.network.activations
        for name in ("weights", "biases"):
            pairs = zip(getattr(mine.network, name), getattr(its.network, name), strict=True)
            for ours, theirs in pairs:
                np.testing.assert_array_equal(ours, theirs)


def small_potential(elements=("Si",), seed=3, **options):
    options = {"families": ("radial", "angular_narrow"), **options}
    return one_cutoff(random_potential(elements, seed, **options))


def one_cutoff(potential, inner_fraction=0.3):
    """n2p2 knows one inner fraction for all functions."""
    models = []
    for model in potential.models:
        functions = [
            replace(f, cutoff=replace(f.cutoff, inner_fraction=inner_fraction))
            if hasattr(f, "cutoff")
            else f
            for f in model.functions
        ]
        models.append(replace(model, functions=tuple(canonical_order(functions))))
    return replace(potential, models=tuple(models))


def with_networks(potential, networks):
    models = [
        replace(model, network=network)
        for model, network in zip(potential.models, networks, strict=True)
    ]
    return replace(potential, models=tuple(models))


def random_network(n_inputs, hidden, activations, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [n_inputs, *hidden, 1]
    return Network(
        tuple(rng.normal(size=(a, b)) for a, b in pairwise(sizes)),
        tuple(rng.normal(size=b) for b in sizes[1:]),
        tuple(activations),
    )


# ---- what is written is read back -----------------------------------------------------------


@pytest.mark.parametrize("units", ["metal", "atomic", "nm,kJ/mol", "bohr,rydberg"])
@pytest.mark.parametrize("kind", CutoffKind)
def test_round_trip_of_every_family(tmp_path, kind, units):
    potential = one_cutoff(
        random_potential(("H", "O"), 5, families=N2P2_FAMILIES, cutoff_kinds=(kind,))
    )
    assert potential.energy_scale != 1.0
    n2p2.write(potential, tmp_path / "p", units)
    read = nnp.load(tmp_path / "p", units)
    assert_same_potential(read, potential)
    assert str(read.units) == {"metal": "angstrom, eV", "atomic": "bohr, hartree"}.get(
        units, units.replace(",", ", ")
    )
    water = structures(("H", "O"))["rattled"]
    before = potential.evaluate(water, "reference")
    after = read.evaluate(water, "reference")
    # parameters differ in their last digit
    np.testing.assert_allclose(after.energies, before.energies, rtol=0, atol=1e-12)


def test_files_without_change(tmp_path):
    """Reading and writing again gives the same bytes, in every unit: nothing creeps."""
    potential = one_cutoff(random_potential(("H", "O"), 5, families=N2P2_FAMILIES))
    for units in ("metal", "atomic"):
        first, second = tmp_path / f"{units}1", tmp_path / f"{units}2"
        n2p2.write(potential, first, units)
        n2p2.write(nnp.load(first, units), second)
        for file in first.iterdir():
            if file.name != "input.nn":  # its offsets may differ in the seventeenth digit
                assert (second / file.name).read_bytes() == file.read_bytes()
        assert_same_potential(nnp.load(second, units), nnp.load(first, units))


def test_units_scale_what_has_a_dimension(tmp_path):
    """The same numbers taken in two units: lengths, η and energies scale, nothing else does."""
    n2p2.write(small_potential(), tmp_path / "p", "metal")
    metal, atomic = nnp.load(tmp_path / "p", "metal"), nnp.load(tmp_path / "p", "atomic")
    np.testing.assert_allclose(atomic.energy_scale, metal.energy_scale * HARTREE, rtol=1e-15)
    np.testing.assert_allclose(
        atomic.models[0].energy_offset, metal.models[0].energy_offset * HARTREE, rtol=1e-15
    )
    for ours, theirs in zip(atomic.models[0].functions, metal.models[0].functions, strict=True):
        np.testing.assert_allclose(ours.radius, theirs.radius * BOHR, rtol=1e-15)
        np.testing.assert_allclose(ours.eta, theirs.eta / BOHR**2, rtol=1e-15)
        np.testing.assert_allclose(ours.r_shift, theirs.r_shift * BOHR, rtol=1e-15)
    np.testing.assert_array_equal(
        atomic.models[0].network.weights[0], metal.models[0].network.weights[0]
    )


@pytest.mark.parametrize("mode", ScalingMode)
def test_round_trip_of_scaling(tmp_path, mode):
    potential = small_potential(("H", "O"), mode=mode)
    models = [
        replace(m, scaling=replace(m.scaling, target_min=-0.75, target_max=1.25))
        for m in potential.models
    ]
    potential = replace(potential, models=tuple(models))
    n2p2.write(potential, tmp_path / "p")
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), potential)


@pytest.mark.parametrize("letter", N2P2_LETTERS)
def test_round_trip_of_activations(tmp_path, letter):
    potential = small_potential(activations=(Activation(letter), Activation.TANH))
    n2p2.write(potential, tmp_path / "p")
    read = nnp.load(tmp_path / "p", "metal")
    assert [a.value for a in read.models[0].network.activations] == [letter, "t", "l"]
    assert_same_potential(read, potential)


@pytest.mark.parametrize(
    ("hidden_h", "hidden_o"),
    [((3, 4), (5,)), ((2,), (6, 3, 2)), ((4, 4), (4, 4)), ((), (3,)), ((3,), ()), ((), ())],
)
def test_round_trip_of_architectures_per_element(tmp_path, hidden_h, hidden_o):
    potential = small_potential(("H", "O"))
    networks = [
        random_network(len(m.functions), hidden, [letter] * len(hidden) + ["l"])
        for m, hidden, letter in zip(potential.models, (hidden_h, hidden_o), "ts", strict=True)
    ]
    potential = with_networks(potential, networks)
    n2p2.write(potential, tmp_path / "p")
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), potential)


def test_normalisation_is_written_and_read(tmp_path):
    """E = Σ network / conv_energy + N · mean_energy, and atom_energy per atom besides."""
    plain = load_tiny(tmp_path / "plain")
    lines = ["mean_energy -3.0", "conv_energy 4.0", "conv_length 7.0", "atom_energy Si -0.5"]
    read = load_tiny(tmp_path / "normalised", *lines)
    dimer = structures()["dimer"]
    wanted = plain.evaluate(dimer, "reference").energies / 4.0 - 3.0 - 0.5
    np.testing.assert_allclose(read.evaluate(dimer, "reference").energies, wanted, rtol=1e-15)
    written = replace(read, energy_scale=0.3)
    n2p2.write(written, tmp_path / "again")
    text = (tmp_path / "again" / "input.nn").read_text()
    assert re.search(r"^conv_energy 3\.33333333333333\d+$", text, re.MULTILINE)
    assert_same_potential(nnp.load(tmp_path / "again", "metal"), written)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: with_functions(
                p, RadialCosine("Si", 1.0, Cutoff(CutoffKind.COSINE, 4.0, 0.3))
            ),
            r"radial cosine function of Si cannot be written: n2p2 has no such type",
        ),
        (
            lambda p: with_functions(p, Radial("Si", 1.0, 0.0, Cutoff(CutoffKind.POLY2, 4.0))),
            r"different cutoff functions: n2p2 knows one for all",
        ),
        (
            lambda p: with_networks(
                p, [random_network(len(p.models[0].functions), (3,), ["mtanh", "l"])]
            ),
            r"activation 'mtanh' of Si cannot be written: n2p2 has l t s",
        ),
    ],
)
def test_what_n2p2_cannot_express(tmp_path, change, message):
    with pytest.raises(OptionError, match=message):
        n2p2.write(change(small_potential()), tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def with_functions(potential, function):
    """The potential with one more function, whose scaling and weights are made up."""
    (model,) = potential.models
    functions = tuple(canonical_order([*model.functions, function]))
    ones = np.ones(len(functions))
    scaling = replace(model.scaling, minimum=0 * ones, maximum=2 * ones, mean=ones, sigma=ones)
    network = random_network(len(functions), (3,), ["t", "l"])
    return replace(potential, models=(ElementModel("Si", functions, scaling, network),))


def test_elements_scaled_differently_cannot_be_written(tmp_path):
    potential = small_potential(("H", "O"))
    hydrogen, oxygen = potential.models
    other = replace(oxygen, scaling=replace(oxygen.scaling, mode=ScalingMode.CENTER))
    with pytest.raises(OptionError, match="elements are scaled differently"):
        n2p2.write(replace(potential, models=(hydrogen, other)), tmp_path / "p")


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
            r"angstrom: if so, say units='angstrom,eV' \(--units angstrom,eV\)",
            message,
        )
        assert recwarn[0].filename == __file__


def test_warning_about_bohr_read_as_angstrom(tmp_path):
    write_tiny(tmp_path / "p", TINY_INPUT.replace("6.0", "12.0"))
    potential = nnp.load(tmp_path / "p", units="metal")
    assert "12, looks like bohr: if so, say units='atomic'" in n2p2.unit_warning(potential)
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


# ---- the directory --------------------------------------------------------------------------


def test_existing_directory(tmp_path):
    potential, other = small_potential(), small_potential(("H", "O"))
    n2p2.write(other, tmp_path / "p")
    with pytest.raises(OutputExistsError, match=r"p exists: .*force=True \(--force\)"):
        n2p2.write(potential, tmp_path / "p")
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), other)
    n2p2.write(potential, tmp_path / "p", force=True)
    assert_same_potential(nnp.load(tmp_path / "p", "metal"), potential)
    assert not (tmp_path / "p" / "weights.008.data").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_force_never_deletes_what_is_not_a_potential(tmp_path):
    """A directory with other files in it is not ours to replace."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "input.data").write_text("years of work")
    with pytest.raises(OutputExistsError, match=r"p holds other files \(input\.data\)"):
        n2p2.write(small_potential(), tmp_path / "p", force=True)
    assert (tmp_path / "p" / "input.data").read_text() == "years of work"


@pytest.mark.parametrize("name", ["mlearn/Si/potential", "mlearn/Li/potential", "n2p2/H2O_RPBE-D3"])
def test_real_potentials_survive_the_round_trip(reference_data, tmp_path, name):
    potential = nnp.load(reference_data / name, units="atomic")
    n2p2.write(potential, tmp_path / "p")
    read = nnp.load(tmp_path / "p", units="atomic")
    assert [describe(f) for m in read.models for f in m.functions] == [
        describe(f) for m in potential.models for f in m.functions
    ]
    assert_same_potential(read, potential)


def test_provenance_names_the_directory(tmp_path):
    potential = load_tiny(tmp_path / "my potential")
    assert potential.provenance == {"source": "n2p2 directory", "name": "my potential"}


def test_energies_in_other_units(tmp_path):
    """A linear network by hand: E = 3 (2 G + 0.25) + 0.5 with G = f_c(r) of a dimer."""
    write_tiny(tmp_path / "p")
    dimer = structures()["dimer"]
    r = np.linalg.norm(dimer.positions[1])
    wanted = 6 * (1 + np.cos(np.pi * r / 6.0)) / 2 + 0.75 + 0.5
    energy = nnp.load(tmp_path / "p", ("angstrom", "kJ/mol")).evaluate(dimer, "reference").energy
    np.testing.assert_allclose(energy, 2 * wanted * KJ_PER_MOL, rtol=1e-14)


def test_scaling_row_of_a_constant_function(tmp_path):
    """min = max is harmless where nothing is divided by it."""
    scaling = load_tiny(tmp_path / "p", scaling="1 1 2.0 2.0 2.0 0.0\n").models[0].scaling
    assert isinstance(scaling, Scaling)
    np.testing.assert_array_equal(scaling.factor, [1.0])
