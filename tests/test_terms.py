"""Repulsion at short distances: known answers, derivatives, every way to a potential with it."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import mpmath as mp
import numpy as np
import pytest

import nnp
from nnp.errors import OptionError, StructureError
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.testing import assert_forces_match_energy, check_engine, random_potential
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


def test_c_refuses_a_file_with_terms(tmp_path):
    from test_c_model import Opened

    WATER.save(tmp_path / "water.nnp")
    with pytest.raises(nnp.NNPError, match="a part of tag 4, which this libnnp does not know"):
        Opened.of(tmp_path / "water.nnp")


def test_openmm():
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_force

    structure = structures(("H", "O"))["molecule"]
    force = create_force(WATER, structure.symbols, periodic=False)
    system = openmm.System()
    for _ in structure.symbols:
        system.addParticle(1.0)
    system.addForce(force)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(structure.positions / 10)
    state = context.getState(getEnergy=True)
    energy = state.getPotentialEnergy().value_in_unit(openmm.unit.kilojoule_per_mole)
    assert energy / 96.48533212331 == pytest.approx(WATER.evaluate(structure).energy, rel=1e-9)
    with pytest.raises(OptionError, match="compiled code cannot hold"):
        create_force(WATER, structure.symbols, route="native", periodic=False)


def test_what_is_refused():
    with pytest.raises(OptionError, match=r"r_inner=2 to r_outer=1 Å: 0 <= r_inner"):
        PairRepulsion(("Si", "Si"), 2, 1)
    with pytest.raises(OptionError, match="as many finite numbers of each are wanted"):
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
