"""``pair_style nnp`` in LAMMPS against our own engine, on 1 to 4 ranks."""

from dataclasses import replace

import ase.io
import numpy as np
import pytest
import torch
from lammps_nnp import Found, box, job, run_jobs

import nnp
from nnp.committee import Committee
from nnp.io.lammps import boxed
from nnp.io.n2p2.data import read_data
from nnp.neighbors import neighbor_list
from nnp.reference.model import AtomicEnergies
from nnp.structure import Structure, as_structure
from nnp.terms import RepulsionTerm
from nnp.testing import (
    ENERGY_PER_ATOM_FLOAT32,
    FORCE_RTOL_FLOAT32,
    random_potential,
    random_structure,
    structures,
)
from nnp.units import BOHR, HARTREE

ELEMENTS = ("H", "O")
RTOL = 1e-12  # float64, of the largest: the terms are the same, summed in another order
RANKS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def model(binary, tmp_path_factory):
    """A file of a random two-element potential with functions of every family."""
    path = tmp_path_factory.mktemp("lammps") / "binary.nnp"
    binary.save(path)
    return path


def large(n=100, seed=4):
    """Longer than cutoff and skin along each axis, as comm_style tiled wants it."""
    return random_structure(ELEMENTS, n, seed)


def virials_of(potential, structure):
    """r_ij ⊗ dE_i/dr_ij summed at i, and at j, by torch's autograd."""
    pairs = neighbor_list(structure, potential.cutoff)
    elements = potential.element_indices(structure)
    vectors = torch.from_numpy(pairs.vectors).requires_grad_()
    energies, _ = AtomicEnergies(potential)(
        torch.from_numpy(elements),
        torch.from_numpy(pairs.i),
        torch.from_numpy(elements[pairs.j]),
        vectors,
    )
    (gradient,) = torch.autograd.grad(energies.sum() + 0 * vectors.sum(), vectors)
    terms = pairs.vectors[:, :, None] * gradient.numpy()[:, None, :]
    sums = np.zeros((2, len(structure), 3, 3))
    np.add.at(sums[0], pairs.i, terms)
    np.add.at(sums[1], pairs.j, terms)
    return sums


def check(found, potential, structure, rtol=RTOL):
    """All of what a job found against the reference engine and torch's autograd."""
    right = potential.evaluate(structure, "reference")
    scale = np.abs(right.energies).sum()
    largest = np.abs(right.forces).max()
    assert abs(found.energy - right.energy) <= rtol * scale
    assert np.abs(found.energies - right.energies).max() <= rtol * scale
    assert np.abs(found.forces - right.forces).max() <= rtol * max(largest, 1e-3)
    at_centre, at_neighbor = virials_of(potential, structure)
    size = max(np.abs(at_centre).max(), 1.0)  # eV: in a crystal large terms cancel
    assert np.abs(found.virials - at_centre).max() <= rtol * size
    assert np.abs(found.neighbor_virials - at_neighbor).max() <= rtol * size
    assert np.abs(found.virial - at_centre.sum(axis=0)).max() <= rtol * size * len(structure)


# ---- whole cells, all ranks, all decompositions ----


DECOMPOSITIONS = {
    "bricks": {},
    "newton off": {"newton": "off"},
    "uneven": {"after": "balance 1.0 shift xyz 10 1.01"},
    "slabs": {"before": "processors 1 * 1"},
    "tiled": {"before": "comm_style tiled", "after": "balance 1.0 rcb"},
    "tiled, newton off": {
        "before": "comm_style tiled",
        "after": "balance 1.0 rcb",
        "newton": "off",
    },
    "multi": {"lists": "multi", "after": "comm_modify mode multi"},
}


@pytest.mark.parametrize("ranks", RANKS)
def test_structures_on_ranks(binary, model, tmp_path, ranks):
    """Every structure that has caused trouble; cells smaller than the cutoff among them."""
    cases = list(structures(ELEMENTS).values())
    turns = ("on", "off")
    jobs = [
        job(structure, model, ELEMENTS, newton=turns[(k + ranks) % 2])
        for k, structure in enumerate(cases)
    ]
    for structure, result in zip(cases, run_jobs(jobs, tmp_path, ranks), strict=True):
        check(Found(result, structure), binary, structure)


@pytest.mark.parametrize("ranks", RANKS)
def test_decompositions(binary, model, tmp_path, ranks):
    structure = large()
    jobs = [job(structure, model, ELEMENTS, **options) for options in DECOMPOSITIONS.values()]
    for result in run_jobs(jobs, tmp_path, ranks):
        check(Found(result, structure), binary, structure)


@pytest.mark.parametrize("ranks", [1, 3])
def test_repulsion_beyond_the_networks(tmp_path, ranks):
    """A ZBL term that reaches further than the functions: ghosts must come from as far."""
    networks = random_potential(ELEMENTS, 6, families=("radial", "angular_wide"))
    term = RepulsionTerm.by_pair({("H", "O"): (0.5, networks.cutoff + 1), ("O", "O"): (0.2, 2.0)})
    potential = replace(networks, terms=(term,))
    potential.save(tmp_path / "repulsion.nnp")
    structure = large()
    jobs = [job(structure, tmp_path / "repulsion.nnp", ELEMENTS, newton=n) for n in ("on", "off")]
    right = potential.evaluate(structure, "reference", stress=True)
    added = term.compute(structure)
    for result in run_jobs(jobs, tmp_path, ranks):
        found = Found(result, structure)
        scale = np.abs(right.energies).sum()
        assert abs(found.energy - right.energy) <= 1e-11 * scale
        assert np.abs(found.energies - right.energies).max() <= 1e-11 * scale
        assert np.abs(found.forces - right.forces).max() <= 1e-11 * np.abs(right.forces).max()
        at_centre, at_neighbor = virials_of(networks, structure)
        size = np.abs(at_centre + added.virials).max()
        assert np.abs(found.virials - at_centre - added.virials).max() <= 1e-11 * size
        # a pair's halves are each other's, so that its virial is the same at both atoms
        assert np.abs(found.neighbor_virials - at_neighbor - added.virials).max() <= 1e-11 * size


@pytest.mark.parametrize("ranks", [1, 4])
def test_float32_and_threads(binary, model, tmp_path, ranks):
    structure = large()
    right = binary.evaluate(structure, stress=True)
    jobs = [job(structure, model, ELEMENTS, style=s) for s in ("float32", "float64 threads 2")]
    single, double = (Found(r, structure) for r in run_jobs(jobs, tmp_path, ranks))
    check(double, binary, structure)
    error = np.abs(single.forces - right.forces).max()
    assert 0 < error <= FORCE_RTOL_FLOAT32 * np.sqrt(np.mean(right.forces**2))
    assert abs(single.energy - right.energy) <= ENERGY_PER_ATOM_FLOAT32 * len(structure)


@pytest.mark.slow
def test_a_thousand_random_structures(binary, model, tmp_path):
    rng = np.random.default_rng(5)
    cases = [random_structure(ELEMENTS, int(rng.integers(1, 101)), seed) for seed in range(1000)]
    jobs = [
        job(structure, model, ELEMENTS, newton=("on", "off")[k % 2])
        for k, structure in enumerate(cases)
    ]
    for structure, result in zip(cases, run_jobs(jobs, tmp_path, 2), strict=True):
        right = binary.evaluate(structure, stress=True)
        found = Found(result, structure)
        scale = np.abs(right.energies).sum()
        assert abs(found.energy - right.energy) <= RTOL * scale
        difference = np.abs(found.forces - right.forces).max()
        assert difference <= RTOL * max(np.abs(right.forces).max(), 1e-3)


# ---- what may be mixed with it ----


def test_hybrid_leaves_others_alone(binary, model, tmp_path):
    """Type 3 is another style's; overlay adds a pair style to ours."""
    structure = large()
    rng = np.random.default_rng(6)
    numbers = structure.atomic_numbers.copy()
    others = rng.choice(len(numbers), 20, replace=False)
    numbers[others] = 18
    mixed = replace(structure, atomic_numbers=numbers)
    ours = numbers != 18
    kinds = (*ELEMENTS, "Ar")
    lj = "lj/cut 5.0"
    names = " ".join(ELEMENTS)
    jobs = [
        job(
            mixed,
            model,
            kinds,
            newton=newton,
            pair=f"pair_style hybrid nnp {lj}\npair_coeff * * nnp {model} {names} NULL\n"
            "pair_coeff 3 3 lj/cut 0 3.0\npair_coeff 1*2 3 lj/cut 0 3.0",
        )
        for newton in ("on", "off")
    ]
    overlay = f"pair_style hybrid/overlay nnp {lj}\npair_coeff * * nnp {model} {names}\n"
    jobs += [
        job(structure, model, ELEMENTS, pair=f"{overlay}pair_coeff * * lj/cut 0.01 2.0"),
        job(structure, model, ELEMENTS, pair=f"pair_style {lj}\npair_coeff * * 0.01 2.0"),
    ]
    *hybrids, added, plain = run_jobs(jobs, tmp_path, 2)
    part = Structure(mixed.positions[ours], numbers[ours], structure.cell, structure.pbc)
    right = binary.evaluate(part)
    virials, _ = virials_of(binary, part)
    for result in hybrids:
        found = Found(result, mixed)
        assert np.abs(found.forces[~ours]).max() == 0
        np.testing.assert_allclose(found.forces[ours], right.forces, rtol=0, atol=1e-11)
        assert found.energy == pytest.approx(right.energy, rel=RTOL)
        np.testing.assert_allclose(found.virials[ours], virials, rtol=0, atol=1e-10)
    right = binary.evaluate(structure)
    both = Found(added, structure).forces - Found(plain, structure).forces
    np.testing.assert_allclose(both, right.forces, rtol=0, atol=1e-10)


def test_excluded_groups_do_not_see_each_other(binary, model, tmp_path):
    structure = large()
    half = len(structure) // 2
    groups = f"group a id 1:{half}\ngroup b id {half + 1}:{len(structure)}\n"
    after = f"{groups}neigh_modify exclude group a b"
    (result,) = run_jobs([job(structure, model, ELEMENTS, after=after)], tmp_path, 2)
    found = Found(result, structure)
    for part in (slice(0, half), slice(half, None)):
        alone = Structure(
            structure.positions[part],
            structure.atomic_numbers[part],
            structure.cell,
            structure.pbc,
        )
        right = binary.evaluate(alone)
        np.testing.assert_allclose(found.forces[part], right.forces, rtol=0, atol=1e-11)


def bonded(structure, model, special, pair=""):
    """Neighbours 1 and 2 bonded, as a classical force field's data file has it."""
    return job(
        structure,
        model,
        ELEMENTS,
        atom_style="molecular",
        extra="bond/types 1 extra/bond/per/atom 2 extra/special/per/atom 4",
        pair=pair,
        after=f"{special}\nbond_style zero nocoeff\nbond_coeff *\ncreate_bonds single/bond 1 1 2",
    )


def test_special_bonds_must_keep_all_neighbors(binary, model, tmp_path):
    structure = large(40)
    jobs = [
        bonded(structure, model, "special_bonds lj/coul 1 1 1"),
        bonded(structure, model, "special_bonds lj 1 1 1 coul 0 0 0.5"),
        bonded(structure, model, "special_bonds lj/coul 0 0 0.5"),
        bonded(structure, model, "special_bonds lj/coul 0.5 1 1"),
    ]
    kept, masked, dropped, weighted = run_jobs(jobs, tmp_path)
    check(Found(kept, structure), binary, structure)
    check(Found(masked, structure), binary, structure)
    for result, weight in ((dropped, "0"), (weighted, "0.5")):
        assert f"atoms 1 and 2 with {weight}, but the potential needs" in result["error"]
        assert "special_bonds lj/coul 1 1 1" in result["error"]


# ---- units ----

# Å, eV and LAMMPS's unit of pressure (nktv2p of its units) in units of each style.
UNITS = {
    "metal": (1.0, 1.0, 1.6021765e6),
    "lj": (1.0, 1.0, 1.0),
    "real": (1.0, 23.060549, 68568.415),
    "electron": (1 / BOHR, 1 / HARTREE, 2.94210108e13),
    "si": (1e-10, 1.602176634e-19, 1.0),
    "cgs": (1e-8, 1.602176634e-12, 1.0),
    "micro": (1e-4, 1.602176634e-4, 1.0),
    "nano": (0.1, 160.2176634, 1.0),
}


@pytest.mark.parametrize("ranks", [2])
def test_units(binary, model, tmp_path, ranks):
    structure = structures(ELEMENTS)["triclinic"]
    jobs = [
        job(
            structure,
            model,
            ELEMENTS,
            units=name,
            length=length,
            after=f"neighbor {0.3 * length} bin",
        )
        for name, (length, _, _) in UNITS.items()
    ]
    for (name, (length, energy, bar)), result in zip(
        UNITS.items(), run_jobs(jobs, tmp_path, ranks), strict=True
    ):
        assert "error" not in result, (name, result)
        check(Found(result, structure, energy, length, bar), binary, structure)


# ---- committees ----


@pytest.mark.parametrize("ranks", [1, 3])
def test_committees(tmp_path, ranks):
    members = [random_potential(ELEMENTS, seed) for seed in (2, 7, 9)]
    committee = Committee.of(members)
    path = tmp_path / "committee.nnp"
    committee.save(path)
    structure = large()
    one = job(structure, path, ELEMENTS)
    two = box(structure, ELEMENTS, newton="off")
    two.append(
        f"mass * 10.0\npair_style nnp\npair_coeff * * {path} H O\n"
        "compute nn all pair nnp\nfix sp all pair 1 nnp spread 1\n"
        "thermo_style custom step pe c_nn[1] c_nn[2] c_nn[3]\nrun 0"
    )
    two = {"commands": two, "gather": {"f_sp": 1, "f": 3}, "global": ["pe", "c_nn[3]"]}
    mean, spread = run_jobs([one, two], tmp_path, ranks)
    right = committee.evaluate(structure, stress=True)
    found = Found(mean, structure)
    assert found.energy == pytest.approx(right.energy, rel=RTOL)
    largest = np.abs(right.forces).max()
    assert np.abs(found.forces - right.forces).max() <= RTOL * largest
    deviation = np.linalg.norm(right.forces_deviation, axis=1)
    np.testing.assert_allclose(spread["f_sp"], deviation, rtol=0, atol=1e-11 * largest)
    assert spread["c_nn[3]"] == pytest.approx(deviation.max(), rel=1e-11)


# ---- the virial of the heat flux ----


def test_centroid_virial_is_at_the_neighbor(binary, model, tmp_path):
    """W_j = Σ_i r_ij ⊗ dE_i/dr_j, by central differences of the atoms' energies."""
    structure = structures(ELEMENTS)["molecule"]
    (result,) = run_jobs([job(structure, model, ELEMENTS)], tmp_path, 2)
    found = Found(result, structure).neighbor_virials
    step, n = 1e-4, len(structure)
    expected = np.zeros((n, 3, 3))
    for j in range(n):
        for c in range(3):
            ends = []
            for sign in (1, -1):
                moved = structure.positions.copy()
                moved[j, c] += sign * step
                ends.append(binary.evaluate(replace(structure, positions=moved)).energies)
            slope = (ends[0] - ends[1]) / (2 * step)
            expected[j, :, c] = slope @ (structure.positions[j] - structure.positions)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert np.abs(found - found.transpose(0, 2, 1)).max() > 1e-3 * np.abs(found).max()


# ---- potentials with known answers ----


N2P2 = {"H2O_RPBE-D3": None, "DMABN_SCAN": None, "LJ_dimers": "metal"}


def known(folder):
    """Potentials of n2p2 and mlearn with structures whose answers other tests compare with ours."""
    for name, units in N2P2.items():
        potential = nnp.load(folder / "n2p2" / name, units)
        frames = read_data(folder / "n2p2" / name / "input.data", potential.units)
        yield potential, [frame.structure for frame in frames[:5]]
    for element in ("Si", "Li"):
        images = ase.io.read(folder / "mlearn" / element / "test.extxyz", ":5")
        potential = nnp.load(folder / "mlearn" / element / "potential")
        yield potential, [as_structure(atoms) for atoms in images]


@pytest.mark.parametrize("ranks", [1, 2])
def test_known_answers(reference_data, tmp_path, ranks):
    jobs, cases = [], []
    for number, (potential, found) in enumerate(known(reference_data)):
        path = tmp_path / f"{number}.nnp"
        potential.save(path)
        units = "lj" if len(potential.elements) == 1 and potential.cutoff < 4 else "metal"
        for structure in found:
            jobs.append(job(structure, path, potential.elements, units=units))
            cases.append((potential, structure, units))
    results = run_jobs(jobs, tmp_path, ranks)
    for (potential, structure, units), result in zip(cases, results, strict=True):
        right = potential.evaluate(structure)
        found = Found(result, structure, bar=UNITS[units][2])
        largest = np.abs(right.forces).max()
        scale = np.abs(right.energies).sum() + largest  # times 1 Å: a cluster was moved
        assert abs(found.energy - right.energy) <= RTOL * scale
        assert np.abs(found.forces - right.forces).max() <= RTOL * scale


def test_boxed_keeps_distances():
    for structure in structures(ELEMENTS).values():
        atoms = boxed(structure)
        moved = atoms.positions - structure.positions
        assert np.abs(moved - moved[0]).max() < 1e-9
        assert atoms.pbc.tolist() == structure.pbc.astype(bool).tolist()
