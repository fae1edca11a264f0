"""The reference engine: physics that any engine must have, and closed forms."""

from __future__ import annotations

import ase.build
import numpy as np
import pytest
import torch

from nnp import Structure
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.functions import Angular, Radial, RadialCosine
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.reference.model import AtomicEnergies
from nnp.scaling import Scaling, ScalingMode
from nnp.testing import (
    FAMILIES,
    assert_forces_match_energy,
    random_potential,
    random_structure,
    structures,
)

ENGINE = "reference"
Z_AXIS = np.array([0.0, 0.0, 1.0])


def summing_model(symbol, functions):
    """An element whose atomic energy is the plain sum of its functions."""
    n = len(functions)
    scaling = Scaling(np.zeros(n), np.ones(n), np.zeros(n), np.ones(n), ScalingMode.NONE)
    network = Network((np.ones((n, 1)),), (np.zeros(1),), (Activation.IDENTITY,))
    return ElementModel(symbol, functions, scaling, network)


def sum_of_functions(symbol, functions):
    return Potential((summing_model(symbol, functions),))


def evaluate(potential, structure):
    return potential.evaluate(structure, ENGINE, stress=bool(structure.pbc.all()))


def moved(structure, positions=None, cell=None, order=None):
    order = np.arange(len(structure)) if order is None else order
    return Structure(
        (structure.positions if positions is None else positions)[order],
        structure.atomic_numbers[order],
        structure.cell if cell is None else cell,
        structure.pbc,
    )


# ---- closed forms ---------------------------------------------------------------------------


def test_radial_of_a_dimer():
    r, r_c, eta, r_s = 2.0, 5.0, 0.3, 0.5
    cutoff = Cutoff(CutoffKind.COSINE, r_c)
    potential = sum_of_functions("Si", (Radial("Si", eta, r_s, cutoff),))
    dimer = Structure([[0, 0, 0], [0, 0, r]], [14, 14], np.zeros((3, 3)), False)
    result = evaluate(potential, dimer)
    f_c = 0.5 * (1 + np.cos(np.pi * r / r_c))
    g = np.exp(-eta * (r - r_s) ** 2)
    assert result.energies == pytest.approx([g * f_c] * 2, rel=1e-14)
    slope = -2 * eta * (r - r_s) * g * f_c - g * 0.5 * np.pi / r_c * np.sin(np.pi * r / r_c)
    assert result.forces[1, 2] == pytest.approx(-2 * slope, rel=1e-13)
    assert result.forces[0, 2] == pytest.approx(2 * slope, rel=1e-13)


def test_radial_cosine_of_a_dimer():
    r, r_c, kappa = 2.0, 5.0, 1.3
    potential = sum_of_functions("Si", (RadialCosine("Si", kappa, Cutoff(CutoffKind.HARD, r_c)),))
    dimer = Structure([[0, 0, 0], [0, 0, r]], [14, 14], np.zeros((3, 3)), False)
    assert evaluate(potential, dimer).energies == pytest.approx([np.cos(kappa * r)] * 2, rel=1e-14)


@pytest.mark.parametrize("narrow", [True, False])
def test_angular_of_a_right_triangle(narrow):
    """Sums run over j < k: one triple per corner, its cosine known."""
    eta, zeta, lambda_, hard = 0.1, 3.0, -1.0, Cutoff(CutoffKind.HARD, 9.0)
    function = Angular(("Si", "Si"), eta, lambda_, zeta, 0.0, hard, narrow)
    triangle = Structure([[0, 0, 0], [3, 0, 0], [0, 4, 0]], [14] * 3, np.zeros((3, 3)), False)
    sides = {0: (3, 4, 5, 0.0), 1: (3, 5, 4, 0.6), 2: (4, 5, 3, 0.8)}
    expected = []
    for r_ij, r_ik, r_jk, cosine in sides.values():
        square = r_ij**2 + r_ik**2 + (r_jk**2 if narrow else 0)
        expected.append(2 ** (1 - zeta) * (1 + lambda_ * cosine) ** zeta * np.exp(-eta * square))
    result = evaluate(sum_of_functions("Si", (function,)), triangle)
    assert result.energies == pytest.approx(expected, rel=1e-13)


def test_mixed_pairs_count_once_and_weights_are_atomic_numbers():
    hard = Cutoff(CutoffKind.HARD, 9.0)
    functions = {
        "H-O": Angular(("O", "H"), 0.0, 1.0, 1.0, 0.0, hard, narrow=False),
        "weighted": Angular(None, 0.0, 1.0, 1.0, 0.0, hard, narrow=True),
        "weighted_radial": Radial(None, 0.0, 0.0, hard),
    }
    corner = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]  # cos θ = 0 at the first atom, an oxygen
    structure = Structure(corner, [8, 1, 8], np.zeros((3, 3)), False)
    expected = {"H-O": 1.0, "weighted": 1 * 8, "weighted_radial": 1 + 8}
    for name, function in functions.items():
        oxygen = summing_model("O", (function,))
        hydrogen = summing_model("H", (Radial("H", 0.0, 0.0, hard),))
        result = evaluate(Potential((hydrogen, oxygen)), structure)
        assert result.energies[0] == pytest.approx(expected[name], rel=1e-14), name


def test_lone_atom_is_network_at_zero_plus_offset(silicon):
    model = silicon.models[0]
    x = model.scaling.offset
    for weight, bias in zip(model.network.weights[:-1], model.network.biases[:-1], strict=True):
        x = x @ weight + bias
        x = np.tanh(x) if weight is model.network.weights[0] else 1 / (1 + np.exp(-x))
    output = float(x @ model.network.weights[-1][:, 0] + model.network.biases[-1][0])
    result = evaluate(silicon, structures()["lone_atom"])
    expected = silicon.energy_scale * output + model.energy_offset
    assert result.energy == pytest.approx(expected, rel=1e-13)
    assert (result.forces == 0).all()


# ---- derivatives ----------------------------------------------------------------------------


def test_forces_and_stress(silicon, structure):
    assert_forces_match_energy(silicon, structure, ENGINE)


def test_forces_and_stress_of_two_elements(binary, binary_structure):
    assert_forces_match_energy(binary, binary_structure, ENGINE)


@pytest.mark.parametrize("family", FAMILIES)
def test_forces_of_each_family_alone(family):
    potential = random_potential(("Si",), seed=5, families=(family,))
    structure = structures()["triclinic"]
    assert np.abs(evaluate(potential, structure).forces).max() > 1e-3
    assert_forces_match_energy(potential, structure, ENGINE)


@pytest.mark.parametrize("kind", [kind for kind in CutoffKind if kind is not CutoffKind.HARD])
def test_forces_with_each_cutoff(kind):
    families = ("radial", "radial_cosine", "angular_narrow", "angular_wide")
    potential = random_potential(("Si",), seed=6, families=families, cutoff_kinds=(kind,))
    assert_forces_match_energy(potential, structures()["triclinic"], ENGINE)


@pytest.mark.parametrize("activation", Activation)
def test_forces_with_each_activation(activation):
    potential = random_potential(("Si",), seed=7, activations=(activation, activation))
    assert_forces_match_energy(potential, structures()["molecule"], ENGINE)


@pytest.mark.parametrize("mode", ScalingMode)
def test_forces_with_each_scaling(mode):
    potential = random_potential(("Si",), seed=8, mode=mode)
    assert_forces_match_energy(potential, structures()["molecule"], ENGINE)


def test_gradcheck():
    """torch's own check, of the module itself."""
    model = AtomicEnergies(random_potential(("H", "O"), seed=3, cutoff_kinds=(CutoffKind.POLY2,)))
    center = torch.tensor([0, 0, 0, 1])
    element = torch.tensor([0, 1, 1, 0])
    generator = torch.Generator().manual_seed(4)
    vectors = 2 * torch.rand(4, 3, dtype=torch.float64, generator=generator) - 0.3
    vectors.requires_grad_(True)

    def energies(v):
        return model(torch.tensor([0, 1]), center, element, v)[0]

    assert torch.autograd.gradcheck(energies, (vectors,), eps=1e-6, atol=1e-7)


# ---- symmetries -----------------------------------------------------------------------------


def test_rotation(binary, binary_structure):
    rng = np.random.default_rng(11)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotated = moved(
        binary_structure, binary_structure.positions @ rotation, binary_structure.cell @ rotation
    )
    before, after = evaluate(binary, binary_structure), evaluate(binary, rotated)
    assert after.energy == pytest.approx(before.energy, rel=1e-12)
    np.testing.assert_allclose(after.forces, before.forces @ rotation, atol=1e-12)
    if before.stress is not None:
        indices = [[0, 5, 4], [5, 1, 3], [4, 3, 2]]
        turned = rotation.T @ before.stress[indices] @ rotation
        np.testing.assert_allclose(after.stress[indices], turned, atol=1e-13)


def test_translation_and_lattice_images(binary, binary_structure):
    rng = np.random.default_rng(12)
    images = rng.integers(-2, 3, (len(binary_structure), 3)) * binary_structure.pbc
    shifted = binary_structure.positions + images @ binary_structure.cell + [0.3, -7.0, 11.0]
    before = evaluate(binary, binary_structure)
    after = evaluate(binary, moved(binary_structure, shifted))
    assert after.energy == pytest.approx(before.energy, rel=1e-12)
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-11)


def test_permutation(binary):
    structure = structures(("H", "O"))["triclinic"]
    order = np.random.default_rng(13).permutation(len(structure))
    assert (order != np.arange(len(structure))).any()
    before, after = evaluate(binary, structure), evaluate(binary, moved(structure, order=order))
    np.testing.assert_allclose(after.energies, before.energies[order], rtol=1e-12)
    np.testing.assert_allclose(after.forces, before.forces[order], atol=1e-12)


def test_supercell_is_additive(silicon):
    atoms = ase.build.bulk("Si", cubic=True)
    atoms.rattle(0.1, seed=3)
    one = silicon.evaluate(atoms, ENGINE, stress=True)
    many = silicon.evaluate(atoms * (2, 1, 2), ENGINE, stress=True)
    assert many.energy == pytest.approx(4 * one.energy, rel=1e-12)
    np.testing.assert_allclose(many.forces, np.tile(one.forces, (4, 1)), atol=1e-12)
    np.testing.assert_allclose(many.stress, one.stress, atol=1e-13)


def test_far_molecules_are_additive_and_near_ones_are_not(binary):
    molecule = structures(("H", "O"))["molecule"]

    def pair(distance):
        positions = np.concatenate([molecule.positions, molecule.positions + distance * Z_AXIS])
        numbers = np.tile(molecule.atomic_numbers, 2)
        return evaluate(binary, Structure(positions, numbers, np.zeros((3, 3)), False)).energy

    alone = evaluate(binary, molecule).energy
    assert pair(30.0) == pytest.approx(2 * alone, rel=1e-12)
    assert abs(pair(4.0) - 2 * alone) > 1e-3


def test_forces_sum_to_zero(binary):
    structure = random_structure(("H", "O"), 20, seed=9)
    forces = evaluate(binary, structure).forces
    assert np.abs(forces).max() > 1e-2
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-12)


def test_force_vanishes_at_the_cutoff_and_not_inside():
    silicon = random_potential(("Si",), seed=4, families=("radial",))
    for distance, touching in ((silicon.cutoff + 1e-9, False), (silicon.cutoff - 0.4, True)):
        dimer = Structure([[0, 0, 0], [0, 0, distance]], [14, 14], np.zeros((3, 3)), False)
        result = evaluate(silicon, dimer)
        lone = evaluate(silicon, structures()["lone_atom"])
        assert (np.abs(result.forces).max() > 1e-6) == touching
        assert (abs(result.energy - 2 * lone.energy) > 1e-6) == touching


# ---- the contract ---------------------------------------------------------------------------


def test_list_equals_single(silicon):
    several = [structures()[name] for name in ("dimer", "crystal", "lone_atom")]
    together = silicon.evaluate(several, ENGINE)
    for structure, result in zip(several, together, strict=True):
        assert result.energy == silicon.evaluate(structure, ENGINE).energy
        assert result.forces.shape == (len(structure), 3)
        assert result.stress is None


def test_energy_alone(silicon):
    result = silicon.evaluate(structures()["crystal"], ENGINE, forces=False)
    assert result.forces is None
    assert result.energy == silicon.evaluate(structures()["crystal"], ENGINE).energy
    assert result.energies.sum() == pytest.approx(result.energy, rel=1e-14)


def test_input_is_not_changed(silicon):
    structure = structures()["far_outside"]
    copy = structure.positions.copy()
    evaluate(silicon, structure)
    np.testing.assert_array_equal(structure.positions, copy)


def test_blocks_do_not_change_the_answer(binary, monkeypatch):
    structure = random_structure(("H", "O"), 24, seed=10)
    whole = evaluate(binary, structure)
    monkeypatch.setattr("nnp.engines.reference_products._BLOCK_ELEMENTS", 1)
    blocks = evaluate(binary, structure)
    np.testing.assert_allclose(blocks.energies, whole.energies, rtol=1e-13)
    np.testing.assert_allclose(blocks.forces, whole.forces, atol=1e-13)
    assert list(blocks.extrapolations) == list(whole.extrapolations)


def test_descriptors_scaled_and_raw(binary):
    structure = structures(("H", "O"))["molecule"]
    raw = binary.descriptors(structure, engine=ENGINE)
    scaled = binary.descriptors(structure, scaled=True, engine=ENGINE)
    index = binary.element_indices(structure)
    for atom, element in enumerate(index):
        scaling = binary.models[element].scaling
        width = scaling.maximum - scaling.minimum
        np.testing.assert_allclose(scaled[atom], (raw[atom] - scaling.mean) / width, atol=1e-13)


def test_extrapolations_name_atom_function_and_distance(silicon):
    structure = structures()["triclinic"]
    raw = np.array(silicon.descriptors(structure, engine=ENGINE))
    model = silicon.models[0]
    low, high = raw.min(axis=0), raw.max(axis=0)
    low[3] += 0.25 * (high[3] - low[3])  # now the lowest of function 3 lies outside
    scaling = Scaling(low, high, raw.mean(axis=0), raw.std(axis=0))
    trained = Potential((ElementModel("Si", model.functions, scaling, model.network),))
    found = evaluate(trained, structure).extrapolations
    expected = np.flatnonzero(raw[:, 3] < low[3])
    assert [e.atom for e in found] == list(expected)
    assert {e.function for e in found} == {3}
    assert found.worst.excess == pytest.approx(raw[:, 3].min() - low[3], rel=1e-9)
    assert found.worst.relative == pytest.approx(-1 / 3, rel=1e-9)
    assert found.n_atoms == len(expected)


@pytest.mark.parametrize(("beyond", "flagged"), [(1e-10, False), (1e-8, True)])
def test_the_edge_itself_does_not_extrapolate(silicon, beyond, flagged):
    """Structures that set min and max pass in spite of rounding; a little further they do not."""
    structure = structures()["triclinic"]
    raw = np.array(silicon.descriptors(structure, engine=ENGINE))
    low, high = raw.min(axis=0), raw.max(axis=0)
    inset = beyond * (high - low)
    scaling = Scaling(low + inset, high - inset, raw.mean(axis=0), raw.std(axis=0))
    model = silicon.models[0]
    trained = Potential((ElementModel("Si", model.functions, scaling, model.network),))
    found = evaluate(trained, structure).extrapolations
    assert (len(found) > 0) == flagged
    assert (found.worst is not None) == flagged


def test_not_finite_is_an_error_that_names_the_atom(silicon):
    model = silicon.models[0]
    big = Network((np.full((len(model.functions), 1), 1e308),), (np.full(1, 1e308),), ("h",))
    broken = Potential((ElementModel("Si", model.functions, model.scaling, big),))
    with pytest.raises(ArithmeticError, match="atom 0 is not finite"):
        evaluate(broken, structures()["dimer"])


def test_stress_needs_three_periodic_axes(silicon):
    with pytest.raises(ValueError, match="three axes"):
        silicon.evaluate(structures()["slab"], ENGINE, stress=True)


def test_unknown_engine_and_option(silicon):
    with pytest.raises(ValueError, match="engine='fast' is unknown: allowed are auto, reference"):
        silicon.evaluate(structures()["dimer"], "fast")
    with pytest.raises(ValueError, match="has no option 'speed'"):
        silicon.evaluate(structures()["dimer"], ENGINE, speed=2)


def test_without_autograd_it_refuses_rather_than_finding_no_forces(silicon):
    with torch.inference_mode(), pytest.raises(RuntimeError, match="autograd off"):
        silicon.evaluate(structures()["dimer"], ENGINE)
