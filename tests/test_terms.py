"""Repulsion at short distances: known answers, derivatives, every way to a potential with it."""

from __future__ import annotations

import base64
import ctypes as ct
from dataclasses import replace
from importlib.resources import files

import mpmath as mp
import numpy as np
import pytest

import nnp
from nnp.engines._library import load_library
from nnp.engines.cpu import CpuEngine
from nnp.engines.flatten import BLOCK_REPULSION, flatten
from nnp.engines.with_terms import EngineWithTerms
from nnp.errors import OptionError, StructureError
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.testing import (
    assert_forces_match_energy,
    check_engine,
    random_potential,
    random_structure,
)
from nnp.testing.potentials import FAMILIES as ALL_FAMILIES
from nnp.testing.structures import structures

FAMILIES = ("radial", "angular_wide")
TERM = RepulsionTerm(
    (
        PairRepulsion(("H", "H"), 0.4, 1.9),
        PairRepulsion(("O", "H"), 0.8, 2.6),
        PairRepulsion(("O", "O"), 0.0, 3.1, (0.3, 0.6), (2.0, 0.5)),
    )
)
NETWORKS = random_potential(("H", "O"), seed=21, families=FAMILIES)
WATER = replace(NETWORKS, terms=(TERM,))


def zbl(z_1, z_2, r, r_inner, r_outer):
    """V (eV) with thirty digits."""
    with mp.workdps(30):
        r = mp.mpf(r)
        x = r * (mp.mpf(z_1) ** mp.mpf("0.23") + mp.mpf(z_2) ** mp.mpf("0.23")) * mp.mpf("2.134563")
        phi = sum(
            mp.mpf(c) * mp.exp(-mp.mpf(d) * x)
            for c, d in (
                ("0.18175", "3.1998"),
                ("0.50986", "0.94229"),
                ("0.28022", "0.4029"),
                ("0.02817", "0.20162"),
            )
        )
        share = min(max((r - r_inner) / (mp.mpf(r_outer) - r_inner), 0), 1)
        switch = (1 + mp.cos(mp.pi * share)) / 2
        return mp.mpf("14.399645") * z_1 * z_2 / r * phi * switch


@pytest.mark.parametrize("r", [0.05, 0.3, 0.99, 1.0, 1.4, 1.99, 2.0])
@pytest.mark.parametrize(("pair", "z"), [(("Si", "Si"), (14, 14)), (("O", "H"), (1, 8))])
def test_known_answers(pair, z, r):
    term = PairRepulsion(pair, 1.0, 2.0)
    value, slope = term.value_and_slope(np.array([r]))
    with mp.workdps(30):
        wanted = zbl(*z, r, 1.0, 2.0)
        derivative = mp.diff(lambda x: zbl(*z, x, 1.0, 2.0), r, h=mp.mpf("1e-9"))
    assert value[0] == pytest.approx(float(wanted), rel=1e-13, abs=1e-14)
    if r not in (1.0, 2.0):  # the second derivative jumps there
        assert slope[0] == pytest.approx(float(derivative), rel=1e-8)


def test_a_pair_alone():
    """V for two atoms, half to each; forces are opposite; nothing from r_outer on."""
    structure = nnp.Structure([[0, 0, 0], [0, 0, 1.1]], [14, 14], np.zeros((3, 3)), False)
    added = RepulsionTerm.universal(("Si",), 1.0, 2.0).compute(structure)
    half = float(zbl(14, 14, 1.1, 1.0, 2.0)) / 2
    np.testing.assert_allclose(added.energies, [half, half], rtol=1e-12)
    assert added.forces[0, 2] < -100
    np.testing.assert_array_equal(added.forces[0], -added.forces[1])
    far = replace(structure, positions=np.array([[0, 0, 0], [0, 0, 2.0]]))
    assert RepulsionTerm.universal(("Si",), 1.0, 2.0).compute(far).energies.max() == 0


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_the_contract_holds_with_terms(engine):
    check_engine(WATER.make_engine(engine))


def test_energies_add(binary_structure):
    with_term, without = WATER.evaluate(binary_structure), NETWORKS.evaluate(binary_structure)
    added = TERM.compute(binary_structure)
    np.testing.assert_allclose(
        with_term.energies, without.energies + added.energies, rtol=0, atol=1e-12
    )
    if len(binary_structure) > 4:
        assert abs(added.energies).max() > 1e-3
        assert_forces_match_energy(WATER, binary_structure, n_directions=1)


def test_file(tmp_path):
    WATER.save(tmp_path / "water.nnp")
    again = nnp.load(tmp_path / "water.nnp")
    assert again.terms == (TERM,)
    structure = structures(("H", "O"))["rattled"]
    assert again.evaluate(structure).energy == WATER.evaluate(structure).energy
    assert again.evaluate(structure).energy != NETWORKS.evaluate(structure).energy


def test_committee_and_mean(tmp_path):
    other = replace(random_potential(("H", "O"), seed=22, families=FAMILIES), terms=(TERM,))
    committee = nnp.Committee.of([WATER, other])
    structure = structures(("H", "O"))["rattled"]
    found = committee.evaluate(structure)
    energies = [p.evaluate(structure).energy for p in (WATER, other)]
    assert found.energy == pytest.approx(np.mean(energies), rel=1e-12)
    assert found.energy_deviation == pytest.approx(np.std(energies), rel=1e-9)
    assert committee.mean().evaluate(structure).energy == pytest.approx(found.energy, rel=1e-10)
    committee.save(tmp_path / "both.nnp")
    assert nnp.load(tmp_path / "both.nnp").evaluate(structure).energy == found.energy
    with pytest.raises(OptionError, match=r"member 0 has ZBL .* and member 1 has nothing"):
        nnp.Committee.of([WATER, NETWORKS])


def test_where_only_networks_go(tmp_path):
    with pytest.raises(OptionError, match=r"ZBL repulsion .* which n2p2's files cannot hold"):
        nnp.io.n2p2.write(WATER, tmp_path / "directory")
    assert not (tmp_path / "directory").exists()
    pytest.importorskip("torch", reason="torch is not installed")
    from nnp.reference.model import AtomicEnergies

    with pytest.raises(OptionError, match="which a torch module cannot hold"):
        AtomicEnergies(WATER)


# ---- compiled ------------------------------------------------------------------------------


def check_engines_agree(potential, structure, dtype="float64", tolerance=1e-11, **options):
    """The CPU engine beside networks and term added in Python."""
    engine = CpuEngine(potential, dtype=dtype, **options)
    found = engine.compute(structure, stress=bool(structure.pbc.all()), virials=True)
    networks = CpuEngine(replace(potential, terms=()), dtype=dtype, **options)
    wanted = EngineWithTerms(potential, networks).compute(
        structure, stress=bool(structure.pbc.all()), virials=True
    )
    for name in ("energy", "energies", "forces", "stress", "virials"):
        own, other = getattr(found, name), getattr(wanted, name)
        if other is not None:
            scale = max(1.0, np.abs(other).max())
            np.testing.assert_allclose(own, other, rtol=0, atol=tolerance * scale, err_msg=name)
    for own, other in zip(
        engine.descriptors(structure), networks.descriptors(structure), strict=True
    ):
        np.testing.assert_allclose(own, other, rtol=0, atol=tolerance * max(1, abs(other).max()))
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", ["baseline", "auto"])
def test_cpu_engine_adds_it_itself(binary_structure, target, dtype):
    tolerance = 1e-11 if dtype == "float64" else 2e-6
    check_engines_agree(WATER, binary_structure, dtype, tolerance, target=target)


def test_it_is_native_where_it_says_so():
    assert type(WATER.make_engine("cpu")) is CpuEngine
    assert not isinstance(nnp.engines.create_engine(WATER, "cpu"), EngineWithTerms)
    assert isinstance(WATER.make_engine("cpu"), CpuEngine)
    pytest.importorskip("torch", reason="torch is not installed")
    assert isinstance(WATER.make_engine("reference"), EngineWithTerms)


@pytest.mark.parametrize("engine", ["reference"])
def test_reference_engine_agrees(binary_structure, engine):
    pytest.importorskip("torch", reason="torch is not installed")
    found, wanted = (WATER.evaluate(binary_structure, engine=name) for name in ("cpu", engine))
    scale = max(1.0, np.abs(wanted.forces).max(initial=0))
    np.testing.assert_allclose(found.energies, wanted.energies, rtol=0, atol=1e-11 * scale)
    np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("families", [FAMILIES, ("radial", "angular_narrow"), ALL_FAMILIES])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_beyond_the_reach_of_the_networks(families, dtype):
    """Lists reach as far as the repulsion; functions end where they did."""
    networks = random_potential(("H", "O"), seed=5, families=families)
    reach = networks.cutoff
    term = RepulsionTerm.by_pair({("H", "O"): (0.5, 1.6 * reach)})
    potential = replace(networks, terms=(term,))
    pair = nnp.Structure([[0, 0, 0], [0, 0, 1.2 * reach]], [1, 8], np.zeros((3, 3)), False)
    added = potential.evaluate(pair).energy - networks.evaluate(pair).energy
    assert added == pytest.approx(float(zbl(8, 1, 1.2 * reach, 0.5, 1.6 * reach)), rel=1e-9)
    box = random_structure(("H", "O"), 30, seed=7)
    check_engines_agree(potential, box, dtype, 1e-11 if dtype == "float64" else 4e-6)


def test_far_and_strong_pairs_in_single_precision():
    """Energies are sums in double precision, and a force of 1e7 eV/Å still fits."""
    near = nnp.Structure([[0, 0, 0], [0, 0, 0.002]], [8, 8], np.zeros((3, 3)), False)
    found = check_engines_agree(WATER, near, "float32", 2e-6)
    assert abs(found.forces).max() > 1e7
    check_engines_agree(WATER, near, "float64")


def test_growing_exponentials_end_at_r_outer():
    """Exponents below 0 would be infinite where lanes are padded."""
    term = RepulsionTerm((PairRepulsion(("H", "O"), 0.5, 2.0, (0.1, 0.2), (-4.0, 1.0)),))
    box = random_structure(("H", "O"), 30, seed=8)
    check_engines_agree(replace(NETWORKS, terms=(term,)), box)
    check_engines_agree(replace(NETWORKS, terms=(term,)), box, "float32", 4e-6)


def test_two_terms_add_up():
    other = RepulsionTerm.universal(("H", "O"), 0.5, 2.2)
    both = replace(NETWORKS, terms=(TERM, other))
    box = random_structure(("H", "O"), 20, seed=9)
    found = check_engines_agree(both, box)
    assert found.energy > WATER.evaluate(box).energy + 1e-3


def test_every_thread_count_gives_the_same_bits():
    box = random_structure(("H", "O"), 60, seed=4)
    one, two = (CpuEngine(WATER, threads=n).compute(box, stress=True) for n in (1, 2))
    np.testing.assert_array_equal(one.forces, two.forces)
    np.testing.assert_array_equal(one.stress, two.stress)
    assert one.energy == two.energy


def test_products_do_not_see_it():
    engine, plain = CpuEngine(WATER), CpuEngine(NETWORKS)
    box, rng = random_structure(("H", "O"), 12, seed=1), np.random.default_rng(2)
    flat = np.concatenate(engine.descriptors(box))
    weights, direction = rng.normal(size=flat.shape), rng.normal(size=box.positions.shape)
    for own, other in zip(
        engine.descriptor_vjp(box, weights, strain=True),
        plain.descriptor_vjp(box, weights, strain=True),
        strict=True,
    ):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        engine.descriptor_jvp(box, direction), plain.descriptor_jvp(box, direction), atol=1e-12
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parts", [1, 3])
def test_domains(parts, dtype):
    """Ghosts get their part of the forces; the sum over ranks is the whole structure."""
    from domains import domain_of
    from test_cpu_domain import assert_same

    box = structures(("H", "O"))["triclinic"]
    owner = np.random.default_rng(1).integers(parts, size=len(box))
    domains = [
        domain_of(WATER, box, WATER.cutoff + 1, np.flatnonzero(owner == part))
        for part in range(parts)
    ]
    assert_same(WATER, box, domains, dtype)


def test_c_opens_a_file_with_terms(tmp_path):
    from test_c_model import Opened

    box = structures(("H", "O"))["triclinic"]
    WATER.save(tmp_path / "water.nnp")
    assert Opened.of(tmp_path / "water.nnp").energy(box) == WATER.evaluate(box).energy
    assert Opened.of(flatten(WATER).to_bytes()).energy(box) == WATER.evaluate(box).energy


def test_c_opens_a_committee_with_terms(tmp_path):
    from test_c_model import Opened

    other = replace(random_potential(("H", "O"), seed=22, families=FAMILIES), terms=(TERM,))
    committee = nnp.Committee.of([WATER, other])
    committee.save(tmp_path / "both.nnp")
    box = structures(("H", "O"))["triclinic"]
    model, library = Opened.of(tmp_path / "both.nnp"), load_library()
    assert model.energy(box) == pytest.approx(committee.evaluate(box).energy, rel=1e-10)
    for number, member in enumerate((WATER, other)):
        part = Opened(ct.c_void_p(library.nnp_model_member(model.handle, number)))
        assert part.energy(box) == member.evaluate(box).energy


@pytest.mark.parametrize(
    ("integers", "reals", "message"),
    [
        ([1, 8, 1], [0.5, 2.0, 1.0], "reals end before a repulsion's exponent"),
        ([1, 8, 1], [2.0, 2.0, 1.0, 1.0], "of H and O is switched off from 2 to 2: 0 <= r_inner"),
        ([1, 8, 1], [-0.5, 2.0, 1.0, 1.0], "switched off from -0.5 to 2"),
        ([1, 8, 1], [0.5, np.nan, 1.0, 1.0], "r_outer"),
        ([8, 1, 1], [0.5, 2.0, 1.0, 1.0], "an atomic number of a repulsion is 1"),
        ([1, 14, 0], [0.5, 2.0], "of H and Si: the potential has no network for Si"),
        ([1, 8, 0, 1, 8, 0], [0.5, 2.0, 0.5, 2.0], "of H and O occurs twice"),
        ([1, 8, -1], [0.5, 2.0], "a repulsion's number of exponentials is -1"),
        ([1, 8, 2**62], [0.5, 2.0], "a repulsion's number of exponentials"),
        ([1, 8], [0.5, 2.0], "integers end before a repulsion's number"),
    ],
)
def test_c_refuses_what_is_no_repulsion(integers, reals, message):
    from test_c_model import BAD_MODEL, refused, with_numbers

    flat = flatten(NETWORKS)
    whole = flat.integers.tolist()
    whole[2] += 1
    block = [BLOCK_REPULSION, len(integers), len(reals), *integers]
    content = with_numbers(flat, [*whole, *block], [*flat.reals, *reals])
    refused(content, BAD_MODEL, message)


def openmm_energy_and_forces(potential, structure, platform="Reference", **options):
    """In eV and Å, and the force's XML."""
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_force

    force = create_force(potential, structure.symbols, periodic=False, **options)
    text = openmm.XmlSerializer.serialize(force)
    system = openmm.System()
    for _ in structure.symbols:
        system.addParticle(1.0)
    system.addForce(force)
    platform = openmm.Platform.getPlatformByName(platform)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(structure.positions / 10)
    state = context.getState(getEnergy=True, getForces=True)
    unit = openmm.unit.kilojoule_per_mole
    energy = state.getPotentialEnergy().value_in_unit(unit) / 96.48533212331
    forces = state.getForces(asNumpy=True).value_in_unit(unit / openmm.unit.angstrom)
    return energy, np.asarray(forces) / 96.48533212331, text


@pytest.mark.parametrize("route", ["auto", "native", "python"])
@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_openmm(route, platform):
    if route == "native":
        pytest.importorskip("openmm", reason="OpenMM is not installed")
        from nnp.openmm import _plugin

        if reason := _plugin.why_unavailable():
            pytest.skip(reason)
    structure = structures(("H", "O"))["molecule"]
    energy, forces, text = openmm_energy_and_forces(WATER, structure, platform, route=route)
    wanted = WATER.evaluate(structure)
    assert energy == pytest.approx(wanted.energy, rel=1e-9)
    scale = np.abs(wanted.forces).max()
    np.testing.assert_allclose(
        forces, wanted.forces, atol=(1e-9 if platform == "Reference" else 1e-6) * scale
    )
    if route == "native":  # a System's XML is as good as the force
        assert base64.b64encode(flatten(WATER).to_bytes()).decode() in text


def test_what_is_refused():
    with pytest.raises(OptionError, match=r"r_inner=2 to r_outer=1 Å: 0 <= r_inner"):
        PairRepulsion(("Si", "Si"), 2, 1)
    with pytest.raises(OptionError, match="as many finite numbers of each are expected"):
        PairRepulsion(("Si", "Si"), 1, 2, (1.0,), (1.0, 2.0))
    with pytest.raises(OptionError, match="each pair of elements once"):
        RepulsionTerm.by_pair({("Si", "O"): (1, 2), ("O", "Si"): (1, 2)})
    with pytest.raises(OptionError, match="names Si, but the potential has only H, O"):
        replace(NETWORKS, terms=(RepulsionTerm.universal(("Si",), 1, 2),))
    same = nnp.Structure(np.zeros((2, 3)), [1, 8], np.zeros((3, 3)), False)
    with pytest.raises(StructureError, match="in the same place"):
        WATER.evaluate(same)


def nearest_after_a_kick(potential, energy_ev):
    """Smallest distance (Å) of an atom of a crystal that is kicked at its neighbour, 20 fs."""
    ase_build = pytest.importorskip("ase.build")
    from ase.md.verlet import VelocityVerlet
    from ase.units import fs

    from nnp.ase import NNPCalculator

    atoms = ase_build.bulk("Si", cubic=True) * 2
    atoms.calc = NNPCalculator(potential)
    way = atoms.get_distances(0, range(1, len(atoms)), mic=True, vector=True)
    way = way[np.argmin(np.linalg.norm(way, axis=1))]
    velocities = np.zeros((len(atoms), 3))
    velocities[0] = np.sqrt(2 * energy_ev / atoms.get_masses()[0]) * way / np.linalg.norm(way)
    atoms.set_velocities(velocities)
    start, nearest, drift = atoms.get_total_energy(), np.inf, 0.0
    dynamics = VelocityVerlet(atoms, 0.1 * fs)
    for _ in range(200):
        dynamics.run(1)
        nearest = min(nearest, atoms.get_distances(0, range(1, len(atoms)), mic=True).min())
        drift = max(drift, abs(atoms.get_total_energy() - start))
    return nearest, drift


def test_a_collision_of_50_ev():
    """Networks that never saw one let the atoms pass through each other; the repulsion does not."""
    networks = nnp.load(files("nnp") / "data" / "silicon_sw.nnp")
    assert nearest_after_a_kick(networks, 50.0)[0] < 0.3
    term = RepulsionTerm.universal(("Si",), 1.0, 2.0)
    nearest, drift = nearest_after_a_kick(replace(networks, terms=(term,)), 50.0)
    assert nearest > 1.0
    assert drift < 0.02
