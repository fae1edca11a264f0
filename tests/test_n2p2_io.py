"""n2p2's directories: written files are read back, nothing else is replaced."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from n2p2_files import (
    N2P2_FAMILIES,
    N2P2_LETTERS,
    assert_same_potential,
    load_tiny,
    one_cutoff,
    random_network,
    small_potential,
    with_networks,
    write_tiny,
)

import nnp
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError, OutputExistsError
from nnp.functions import Radial, RadialCosine, canonical_order, describe
from nnp.io import n2p2
from nnp.networks import Activation
from nnp.potential import ElementModel
from nnp.scaling import Scaling, ScalingMode
from nnp.testing import random_potential, structures
from nnp.units import BOHR, HARTREE, KJ_PER_MOL

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
            r"a radial cosine function cannot be written: n2p2 has no such function",
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
