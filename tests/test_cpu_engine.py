"""The CPU engine against the reference engine, against itself, and against known answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from cpu_targets import engine_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moment_potentials import random_moments

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines.cpu import CpuEngine
from nnp.functions import Angular, canonical_order
from nnp.networks import Activation
from nnp.potential import ElementModel, Potential
from nnp.scaling import ScalingMode
from nnp.structure import Structure
from nnp.testing import (
    FAMILIES,
    assert_engines_agree,
    assert_forces_match_energy,
    random_potential,
    random_structure,
    structures,
)

pytest.importorskip("torch", reason="the reference engine needs torch")

SMOOTH = [kind for kind in CutoffKind if kind is not CutoffKind.HARD]
TARGETS = ("baseline", "avx2", "avx512")


def narrowed(potential):
    """The potential with training ranges so narrow that most functions leave them."""
    models = []
    for model in potential.models:
        width = model.scaling.maximum - model.scaling.minimum
        minimum = model.scaling.minimum + 0.3 * width
        scaling = replace(model.scaling, minimum=minimum, maximum=minimum + 0.01 * width)
        models.append(replace(model, scaling=scaling))
    return Potential(tuple(models))


# ---- against the reference --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_element(silicon, structure, dtype):
    assert_engines_agree(silicon, structure, "cpu", dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_elements(binary, binary_structure, dtype):
    assert_engines_agree(binary, binary_structure, "cpu", dtype)


@pytest.mark.parametrize("kind", list(CutoffKind))
def test_cutoffs(kind):
    potential = random_potential(
        ("Si",), 3, ("radial", "angular_narrow", "angular_wide"), cutoff_kinds=(kind,)
    )
    assert_engines_agree(potential, structures()["rattled"], "cpu")


@pytest.mark.parametrize("activation", list(Activation))
def test_activations(activation):
    potential = random_potential(("Si",), 4, ("radial",), activations=(activation, activation))
    assert_engines_agree(potential, structures()["molecule"], "cpu")


@pytest.mark.parametrize("mode", list(ScalingMode))
def test_scalings_and_extrapolations(mode):
    potential = narrowed(random_potential(("H", "O"), 5, ("radial", "angular_wide"), mode=mode))
    box = structures(("H", "O"))["rattled"]
    assert_engines_agree(potential, box, "cpu")
    wanted = potential.evaluate(box, "reference").extrapolations
    got = potential.evaluate(box, "cpu").extrapolations
    assert len(wanted) > 0
    assert got.atoms.tolist() == wanted.atoms.tolist()
    assert got.functions.tolist() == wanted.functions.tolist()
    np.testing.assert_allclose(got.excess, wanted.excess, rtol=1e-9)
    np.testing.assert_allclose(got.relative, wanted.relative, rtol=1e-9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**20),
    elements=st.lists(
        st.sampled_from(["H", "Li", "C", "O", "Si", "Cu"]), min_size=1, max_size=5, unique=True
    ),
    families=st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=3, unique=True),
    n=st.integers(1, 12),
    density=st.floats(0.01, 0.07),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_random_potentials_and_cells(seed, elements, families, n, density, dtype):
    potential = random_potential(elements, seed, families, SMOOTH, radius=4.0)
    box = random_structure(elements, n, seed, density)
    assert_engines_agree(potential, box, "cpu", dtype)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_instruction_sets(binary, target, dtype):
    engine_of(binary, target)
    box = structures(("H", "O"))["triclinic"]
    assert_engines_agree(binary, box, "cpu", dtype, target=target)


def test_exponents_that_need_each_kind_of_slot():
    """Exponents as products, powers and sums; negative, fractional and zero zeta; lambda past 1."""
    potential = random_potential(("Si",), 6, ("radial",))
    cutoff = Cutoff(CutoffKind.COSINE, 4.2)
    functions = canonical_order(
        Angular(("Si", "Si"), eta, lambda_, zeta, r_shift, cutoff, narrow)
        for eta in (0.0, 0.01, 0.03, 0.04, 0.2, 0.123)
        for lambda_ in (-1.0, 0.7, 1.5)
        for zeta in (-1.0, 0.0, 1.0, 2.5, 16.0)
        for r_shift, narrow in ((0.0, True), (0.9, True), (0.0, False))
    )
    (template,) = random_potential(("Si",), 7, ("radial",) * 135).models
    assert len(functions) == len(template.functions)
    model = ElementModel("Si", tuple(functions), template.scaling, template.network)
    potential = Potential((model,))
    assert_engines_agree(potential, structures()["molecule"], "cpu")
    assert_engines_agree(potential, structures()["rattled"], "cpu")


def test_descriptors(binary):
    box = structures(("H", "O"))["triclinic"]
    for scaled in (False, True):
        wanted = binary.descriptors(box, scaled, "reference")
        got = binary.descriptors(box, scaled, "cpu")
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11 * np.abs(b).max())


def test_many_neighbours():
    """700 neighbours and 80,000 triples of one atom: buffers grow, sums stay right."""
    potential = random_potential(("Si",), 8, ("radial", "angular_narrow", "angular_wide"))
    cell = np.diag([0.8, 0.9, 0.85])
    box = Structure([[0.1, 0.2, 0.3]], [14], cell, True)
    assert_engines_agree(potential, box, "cpu")


# ---- consistency ------------------------------------------------------------------------------


def test_forces_are_derivatives(binary):
    assert_forces_match_energy(binary, structures(("H", "O"))["triclinic"], "cpu")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_thread_count_does_not_matter(binary, dtype):
    box = random_structure(("H", "O"), 200, 11)
    one = CpuEngine(binary, dtype, threads=1).compute(box, True, True)
    for threads in (2, 3, 7):
        many = CpuEngine(binary, dtype, threads=threads).compute(box, True, True)
        assert many.energy == one.energy
        assert (many.energies == one.energies).all()
        assert (many.forces == one.forces).all()
        assert (many.stress == one.stress).all()
    assert np.abs(one.forces.sum(axis=0)).max() < 1e-12  # fixed point: momentum is conserved


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("beside", [(), ("angular_narrow",)], ids=["alone", "with triples"])
def test_moments_run_in_batches(target, dtype, beside):
    """Atoms are lanes of what is made of moments; who shares a batch changes no bit."""
    potential = random_moments(seed=4, beside=beside)
    box = random_structure(potential.elements, 130, 3)
    whole = engine_of(potential, target, dtype=dtype, threads=1).compute(box, stress=True)
    for threads in (2, 3):  # other chunks, so other batches
        found = engine_of(potential, target, dtype=dtype, threads=threads).compute(box, stress=True)
        np.testing.assert_array_equal(found.energies, whole.energies)
        np.testing.assert_array_equal(found.forces, whole.forces)
        np.testing.assert_array_equal(found.stress, whole.stress)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_networks_run_in_batches(target, dtype):
    """Atoms of two elements, in batches of 4, 2 and 1; who shares a batch changes no bit."""
    potential = random_potential(("H", "O"), nodes=70, seed=5)
    box = random_structure(potential.elements, 23, 3)
    engine = engine_of(potential, target, dtype=dtype, threads=1)
    assert_engines_agree(potential, box, "cpu", dtype, target=target)
    whole = engine.compute(box)
    for threads in (2, 3):
        found = engine_of(potential, target, dtype=dtype, threads=threads).compute(box)
        np.testing.assert_array_equal(found.energies, whole.energies)
        np.testing.assert_array_equal(found.forces, whole.forces)
    nowhere = (np.zeros((3, 3)), np.zeros(3, bool))
    alone = Structure(np.zeros((1, 3)), np.array([8]), *nowhere)
    many = Structure(np.outer(np.arange(7), [99.0, 0, 0]), np.full(7, 8), *nowhere)
    np.testing.assert_array_equal(
        engine.compute(many).energies, np.full(7, engine.compute(alone).energies[0])
    )


def test_python_threads_take_turns(silicon):
    """One warm engine for all: they must not meet in its memory."""
    frames = [random_structure(("Si",), n, seed=n) for n in (12, 40, 20, 33)] * 12
    alone = [CpuEngine(silicon, threads=1).compute(frame, stress=True) for frame in frames[:4]]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda f: silicon.evaluate(f, stress=True, threads=1), frames))
    for k, result in enumerate(found):
        np.testing.assert_allclose(result.forces, alone[k % 4].forces, atol=1e-11)
        np.testing.assert_array_equal(
            result.extrapolations.atoms, alone[k % 4].extrapolations.atoms
        )


def test_large_systems_repeat_small_ones():
    potential = random_potential(("Si",), 9, ("radial", "angular_wide"), radius=3.5)
    box = structures()["rattled"]
    small = potential.evaluate(box, "cpu", stress=True)
    times = 23
    shifts = np.stack(np.meshgrid(*[np.arange(times)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = (box.positions[None] + (shifts @ box.cell)[:, None]).reshape(-1, 3)
    large_box = Structure(positions, np.tile(box.atomic_numbers, times**3), times * box.cell, True)
    large = potential.evaluate(large_box, "cpu", stress=True)
    assert len(large_box) == 97336
    np.testing.assert_allclose(large.energy, times**3 * small.energy, rtol=1e-12)
    np.testing.assert_allclose(large.stress, small.stress, rtol=1e-10, atol=1e-14)
    forces = large.forces.reshape(times**3, -1, 3)
    np.testing.assert_allclose(forces, np.broadcast_to(small.forces, forces.shape), atol=1e-9)


def test_neighbour_list_follows(binary):
    """Steps inside and past the skin, lattice jumps, strain, other atoms: bits as if fresh."""
    rng = np.random.default_rng(3)
    box = random_structure(("H", "O"), 60, 12)
    warm = CpuEngine(binary, skin=0.5)
    positions, cell = box.positions.copy(), box.cell.copy()
    builds = []
    for step in range(12):
        positions = positions + rng.normal(0, 0.02, positions.shape)
        if step == 5:
            positions[7] += cell[0] - 2 * cell[1]
        if step == 7:
            strain = np.eye(3) + 0.004 * rng.normal(size=(3, 3))
            positions, cell = positions @ strain, cell @ strain
        if step == 9:
            positions = positions + rng.normal(0, 0.3, positions.shape)
        now = Structure(positions, box.atomic_numbers[:: -1 if step == 10 else 1], cell, True)
        got, wanted = warm.compute(now), CpuEngine(binary).compute(now)
        for what in ("energy", "energies", "forces"):
            np.testing.assert_array_equal(getattr(got, what), getattr(wanted, what))
        builds.append(warm.statistics["list_builds"])
    assert builds[1] == builds[0]  # small steps keep the list
    assert builds[9] > builds[8]  # a large one does not
    assert builds[11] > builds[9]  # nor do other species


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_skin_follows_the_motion(binary, dtype):
    """Fast atoms get a wide skin, slow ones a narrow one; the results' bits do not depend on it."""
    rng = np.random.default_rng(8)
    box = random_structure(("H", "O"), 40, 14)
    velocities = rng.normal(size=box.positions.shape)
    velocities /= np.linalg.norm(velocities, axis=1).max()
    fixed, following = CpuEngine(binary, dtype, skin=0.6), CpuEngine(binary, dtype)
    entries = {}
    for step_length in (0.1, 0.002):
        built = [engine.statistics["list_builds"] for engine in (fixed, following)]
        for _ in range(400 if step_length < 0.01 else 20):
            box = replace(box, positions=box.positions + step_length * velocities)
            one, two = fixed.compute(box, True, True), following.compute(box, True, True)
            assert one.energy == two.energy
            np.testing.assert_array_equal(one.forces, two.forces)
            np.testing.assert_array_equal(one.stress, two.stress)
        builds = [
            engine.statistics["list_builds"] - before
            for engine, before in zip((fixed, following), built, strict=True)
        ]
        entries[step_length] = following.statistics["list_entries"]
        if step_length > 0.01:
            assert builds[1] < builds[0]
        else:
            assert entries[0.002] < fixed.statistics["list_entries"] < entries[0.1]


def test_memory_stays_once_warm(binary):
    rng = np.random.default_rng(4)
    box = random_structure(("H", "O"), 300, 13)
    engine = CpuEngine(binary, threads=2, skin=2.0)
    steps = rng.normal(0, 0.01, (4, *box.positions.shape))
    held = []
    for step in (*steps, *steps):
        moved = Structure(box.positions + step, box.atomic_numbers, box.cell, True)
        engine.compute(moved, True, True)
        held.append(engine.statistics["bytes"])
    assert held[-1] == held[3]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_energy_scale(silicon, scale):
    """Fixed-point sums keep their relative accuracy from neV to TeV."""
    box = structures()["rattled"]
    scaled = Potential(silicon.models, energy_scale=scale)
    wanted = scaled.evaluate(box, "reference")
    got = scaled.evaluate(box, "cpu", stress=True)
    largest = np.abs(wanted.forces).max()
    # resolution 2⁻⁴⁸ eV/Å per neighbour: what counts for the smallest forces
    atol = max(1e-10 * largest, 100 * 2.0**-48)
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=0, atol=atol)


def test_pull_back_and_push_forward(binary):
    rng = np.random.default_rng(5)
    box = structures(("H", "O"))["triclinic"]
    engine = CpuEngine(binary)

    def flat(s):
        return np.concatenate(engine.descriptors(s))

    weights = rng.normal(size=flat(box).shape)
    direction = rng.normal(size=box.positions.shape)
    gradient, by_strain = engine.descriptor_vjp(box, weights, strain=True)
    change = engine.descriptor_jvp(box, direction)
    np.testing.assert_allclose(weights @ change, np.vdot(gradient, direction), rtol=1e-11)
    skewed = rng.normal(size=(3, 3))  # a rotation in it changes nothing: the virial is symmetric
    stretched = engine.descriptor_jvp(box, strain=skewed)
    np.testing.assert_allclose(weights @ stretched, np.vdot(by_strain, skewed), rtol=1e-11)
    both = engine.descriptor_jvp(box, direction, skewed)
    np.testing.assert_allclose(both, change + stretched, atol=1e-11 * np.abs(both).max())
    assert not engine.descriptor_jvp(box).any()

    def moved(t, strain):
        deformation = np.eye(3) + t * strain
        return flat(
            Structure(
                (box.positions + t * direction) @ deformation,
                box.atomic_numbers,
                box.cell @ deformation,
                True,
            )
        )

    h = 1e-4

    def stencil(strain):
        inner = moved(h, strain) - moved(-h, strain)
        outer = moved(2 * h, strain) - moved(-2 * h, strain)
        return (8 * inner - outer) / (12 * h)

    still = np.zeros((3, 3))
    scale = np.abs(change).max()
    np.testing.assert_allclose(change, stencil(still), atol=1e-6 * scale)
    strain = rng.normal(size=(3, 3))
    strain = (strain + strain.T) / 10
    expected = weights @ (stencil(strain) - stencil(still))
    np.testing.assert_allclose(np.vdot(by_strain, strain), expected, rtol=1e-6)


# ---- known answers ----------------------------------------------------------------------------


def read_n2p2(path, units):
    """The first structure of an input.data file."""
    rows = [line.split() for line in path.read_text().split("end")[0].splitlines() if line]
    lattice = [row[1:4] for row in rows if row[0] == "lattice"]
    atoms = [row for row in rows if row[0] == "atom"]
    from nnp.elements import atomic_number

    return Structure(
        np.array([row[1:4] for row in atoms], float) * units.length_in_angstrom,
        [atomic_number(row[4]) for row in atoms],
        np.array(lattice or np.zeros((3, 3)), float) * units.length_in_angstrom,
        bool(lattice),
    )


@pytest.mark.parametrize("name", ["H2O_RPBE-D3", "DMABN_SCAN"])
def test_known_answers(reference_data, name):
    from nnp.io import load

    folder = reference_data / "n2p2" / name
    potential = load(folder)
    wanted = np.load(folder / "expected.npz")
    hartree, bohr = potential.units.energy_in_ev, potential.units.length_in_angstrom
    box = read_n2p2(folder / "input.data", potential.units)
    got = potential.evaluate(box, "cpu")
    np.testing.assert_allclose(got.energy / hartree, wanted["energy"].item(), rtol=1e-12)
    np.testing.assert_allclose(got.forces * bohr / hartree, wanted["forces"], atol=1e-11)
    for scaled, key in ((False, "G_raw"), (True, "G_scaled")):
        rows = potential.descriptors(box, scaled, "cpu")
        values = [rows[a][i] for a, i in zip(wanted["G_atom"], wanted["G_index"], strict=True)]
        np.testing.assert_allclose(values, wanted[key], atol=1e-11)
    single = potential.evaluate(box, "cpu", dtype="float32")
    rms = np.sqrt(np.mean(got.forces**2))
    np.testing.assert_allclose(single.forces, got.forces, atol=5e-5 * rms)
    np.testing.assert_allclose(single.energies, got.energies, atol=1e-6)
