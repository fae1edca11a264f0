"""Writing nep.txt: round trips, what another program reads, what is not a NEP."""

from __future__ import annotations

from dataclasses import replace

import ase
import numpy as np
import pytest
from nep_files import nep_text
from runs import nnp as command

import nnp
from nnp.errors import OptionError
from nnp.functions import MomentSum
from nnp.io import nep
from nnp.io.nep.digits import shortest
from nnp.networks import Activation
from nnp.scaling import ScalingMode
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.testing import random_potential, random_structure

# Those whose text comes back as it was; the others are NEP3 or old ways to say the same.
SAME_TEXT = (
    "nep4-1el-3body",
    "nep4-1el-5body",
    "nep4-2el-4body",
    "nep4-5el-cutoffs",
    "nep4-zbl-3el",
    "nep4-zbl-flexible-2el",
)
OTHERS = ("nep3-1el-4body", "nep3-2el-5body", "nep4-zbl-3el-legacy-typewise")


def words(path):
    """Words of a header, numbers as numbers."""
    return [float(w) if w[:1].isdigit() or w[:1] in "-+" else w for w in path.read_text().split()]


def written(potential, tmp_path, name="written.txt"):
    nep.write(potential, tmp_path / name, force=True)
    return tmp_path / name


def load(tmp_path, **options):
    path = tmp_path / "nep.txt"
    path.write_text(nep_text(**options))
    return nnp.load(path)


def box_of(potential, seed=3):
    return random_structure(potential.elements, 16, seed=seed)


def assert_same(first, second, rtol=1e-13):
    """The same energies and forces."""
    box = box_of(first)
    wanted, found = first.evaluate(box), second.evaluate(box)
    scale = np.abs(wanted.forces).max()
    np.testing.assert_allclose(found.energies, wanted.energies, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=rtol * scale)


def assert_calorine_agrees(potential, path):
    """NEP_CPU, which reads NEP4 only."""
    calculators = pytest.importorskip("calorine.calculators", reason="calorine is not installed")
    box = box_of(potential)
    atoms = ase.Atoms(box.symbols, box.positions, cell=box.cell, pbc=True)
    atoms.calc = calculators.CPUNEP(str(path))
    wanted = potential.evaluate(atoms)
    scale = max(1, np.abs(wanted.forces).max())
    np.testing.assert_allclose(atoms.get_potential_energy(), wanted.energy, rtol=1e-11)
    np.testing.assert_allclose(atoms.get_forces(), wanted.forces, atol=1e-10 * scale)


@pytest.mark.parametrize("case", SAME_TEXT + OTHERS)
def test_round_trip(reference_data, tmp_path, case):
    source = reference_data / "nep" / case / "nep.txt"
    potential = nnp.load(source)
    potential.save(tmp_path / "model.nnp")
    path = written(nnp.load(tmp_path / "model.nnp"), tmp_path)
    if case in SAME_TEXT:
        assert words(path) == words(source)
    assert path.read_text() == written(nnp.load(path), tmp_path, "again.txt").read_text()
    assert_same(potential, nnp.load(path))
    if "legacy" not in case:  # no current program reads those cutoffs
        assert_calorine_agrees(potential, path)


@pytest.mark.parametrize("l_max", ["1", "2 2", "4 1 1 1 1 1 1", "3 0 0 1"])
def test_switches(tmp_path, l_max):
    potential = load(tmp_path, l_max=l_max)
    path = written(potential, tmp_path)
    assert_same(potential, nnp.load(path), rtol=0)
    assert_calorine_agrees(potential, path)


def test_nep5_and_offsets_become_a_neuron(tmp_path):
    """NEP4 has one bias for all elements."""
    potential = load(tmp_path, version=5)
    potential = replace(
        potential,
        models=[replace(m, energy_offset=-3.7 * n) for n, m in enumerate(potential.models)],
    )
    path = written(potential, tmp_path)
    assert path.read_text().splitlines()[5] == "ANN 8 0"
    assert_same(potential, nnp.load(path))
    assert_calorine_agrees(potential, path)


def test_any_scaling_and_size(tmp_path):
    """Scalings that differ between elements, an energy scale, functions left out."""
    potential = load(tmp_path)
    first, second = potential.models
    rng = np.random.default_rng(1)
    low = rng.normal(size=len(second.functions))
    scaling = replace(
        second.scaling, minimum=low, maximum=low + 2, mean=low + 1, mode=ScalingMode.SCALE_CENTER
    )
    kept = [
        n for n, f in enumerate(first.functions) if not (isinstance(f, MomentSum) and f.n_1 == 2)
    ]
    network = replace(
        first.network, weights=(first.network.weights[0][kept], *first.network.weights[1:])
    )
    columns = {
        name: getattr(first.scaling, name)[kept] for name in ("minimum", "maximum", "mean", "sigma")
    }
    first = replace(
        first,
        functions=[first.functions[n] for n in kept],
        network=network,
        scaling=replace(first.scaling, **columns),
    )
    models = (first, replace(second, scaling=scaling))
    changed = replace(potential, models=models, energy_scale=0.5)
    path = written(changed, tmp_path)
    assert_same(changed, nnp.load(path), rtol=1e-11)
    assert_calorine_agrees(changed, path)


@pytest.mark.parametrize(
    ("radii", "line"),
    [
        ({("H", "H"): (1, 2), ("H", "O"): (1, 2), ("O", "O"): (1, 2)}, "zbl 1 2"),
        ({("H", "H"): (0, 0.64), ("H", "O"): (0, 0.9525), ("O", "O"): (0, 1.265)}, None),
        ({("H", "O"): (0.5, 1.5)}, "zbl 0 0"),
    ],
)
def test_repulsion(tmp_path, radii, line):
    potential = replace(load(tmp_path), terms=(RepulsionTerm.by_pair(radii),))
    path = written(potential, tmp_path)
    assert line is None or path.read_text().splitlines()[1] == line
    assert_same(potential, nnp.load(path))
    assert_calorine_agrees(potential, path)


def test_typewise_repulsion(tmp_path):
    """Shares of covalent radii keep their line."""
    path = tmp_path / "nep.txt"
    path.write_text(nep_text().replace("nep4 2 O H", "nep4_zbl 2 O H\nzbl 0.9 1.8 0.6"))
    potential = nnp.load(path)
    again = written(potential, tmp_path)
    assert again.read_text().splitlines()[1].split()[3] == "0.6"
    assert_same(potential, nnp.load(again))
    assert_calorine_agrees(potential, again)


def test_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nep3.txt").write_text(nep_text(version=3))
    assert command("convert", "nep3.txt", "model.nnp") == 0
    assert command("convert", "model.nnp", "nep.txt") == 0
    assert (tmp_path / "nep.txt").read_text().startswith("nep4 2 O H\ncutoff 5 4 100 80\n")
    assert command("convert", "model.nnp", "nep.txt") != 0  # it exists
    random_potential(("H", "O"), 1).save("acsf.nnp")
    assert command("convert", "acsf.nnp", "no.txt") != 0
    assert "the potential is not a NEP: it has a radial" in capsys.readouterr().err
    assert not (tmp_path / "no.txt").exists()


def deeper(potential):
    network = random_potential(("H", "O"), 1).models[0].network
    layers = (Activation.TANH, Activation.TANH, Activation.IDENTITY)
    model = potential.models[0]
    size = len(model.functions)
    weights = (np.zeros((size, 3)), np.zeros((3, 3)), np.zeros((3, 1)))
    biases = (np.zeros(3), np.zeros(3), np.zeros(1))
    network = replace(network, weights=weights, biases=biases, activations=layers)
    return replace(potential, models=(replace(model, network=network), potential.models[1]))


def of_other_argument(potential):
    model = potential.models[0]
    changed = {
        f.series: replace(f.series, argument=1) for f in model.functions if isinstance(f, MomentSum)
    }
    functions = [replace(f, series=changed.get(f.series, f.series)) for f in model.functions]
    order = nnp.functions.canonical_order(functions)
    return replace(potential, models=(replace(model, functions=order), potential.models[1]))


def long_screening(potential):
    pair = PairRepulsion(("H", "O"), 1, 2, (0.2,) * 5, (1.0,) * 5)
    return replace(potential, terms=(RepulsionTerm((pair,)),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: nnp.Committee.of([p, p]), "it is a committee"),
        (deeper, "tanh, tanh, identity: one hidden layer of tanh is expected"),
        (of_other_argument, "argument falling, cutoff cosine; square and cosine are expected"),
        (long_screening, "has 5 terms: a nep.txt has room for 4"),
        (lambda _: random_potential(("H", "O"), 1), "it has a radial"),
    ],
)
def test_what_is_no_nep(tmp_path, change, message):
    with pytest.raises(OptionError, match=message):
        nep.write(change(load(tmp_path)), tmp_path / "written.txt")
    assert not (tmp_path / "written.txt").exists()


def test_shortest_digits():
    assert shortest(0.1 + 0.2, lambda x: x == 0.1 + 0.2) == 0.1 + 0.2
    assert repr(shortest(2 / 3, lambda x: abs(x - 2 / 3) < 1e-9)) == "0.666666667"
