"""Neighbour lists against a loop over images, and counts known from crystals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nnp.errors import StructureError
from nnp.neighbors import OVERLAP_DISTANCE, neighbor_list
from nnp.structure import Structure
from nnp.testing import random_structure, structures

ALL = structures()
CUTOFFS = (2.6, 4.5, 8.0)  # first neighbours; below and above the edge of most cells (5.4 Å)


def pairs_by_images(structure, cutoff):
    """{(i, j, shift)} with |r_j − r_i + shift @ cell| < cutoff, from every image in reach."""
    axes = np.flatnonzero(structure.pbc)
    shifts = np.zeros((1, 3), int)
    if len(axes):
        dual = np.linalg.pinv(structure.cell[axes])
        fractions = structure.positions @ dual
        reach = np.ceil(np.ptp(fractions, axis=0) + cutoff * np.linalg.norm(dual, axis=0))
        ranges = [range(-int(n), int(n) + 1) for n in reach]
        steps = np.array(list(itertools.product(*ranges)))
        shifts = np.zeros((len(steps), 3), int)
        shifts[:, axes] = steps
    vectors = structure.positions[None, :] - structure.positions[:, None]
    found = {}
    for shift in shifts:
        r_ij = vectors + shift @ structure.cell
        near = np.linalg.norm(r_ij, axis=-1) < cutoff
        if not shift.any():
            np.fill_diagonal(near, False)
        for i, j in zip(*np.nonzero(near), strict=True):
            found[int(i), int(j), *map(int, shift)] = r_ij[i, j]
    return found


def keys(pairs):
    return list(zip(pairs.i.tolist(), pairs.j.tolist(), *pairs.shifts.T.tolist(), strict=True))


def assert_same_pairs(structure, cutoff):
    pairs = neighbor_list(structure, cutoff)
    wanted = pairs_by_images(structure, cutoff)
    got = keys(pairs)
    assert len(got) == len(set(got))
    assert set(got) == set(wanted)
    for key, vector in zip(got, pairs.vectors, strict=True):
        np.testing.assert_allclose(vector, wanted[key], rtol=0, atol=1e-13)
    return pairs


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("name", sorted(ALL))
def test_every_pair_once_from_either_end(name, cutoff):
    structure = ALL[name]
    pairs = assert_same_pairs(structure, cutoff)
    assert (len(pairs.i) > 0) == (name != "lone_atom")
    # the convention of the package, to the last digit that positions far outside leave
    r_ij = structure.positions[pairs.j] - structure.positions[pairs.i]
    r_ij += pairs.shifts @ structure.cell
    np.testing.assert_allclose(pairs.vectors, r_ij, rtol=0, atol=1e-13)
    assert (np.linalg.norm(pairs.vectors, axis=1) < cutoff).all()
    assert (np.diff(pairs.i) >= 0).all()
    assert not pairs.shifts[:, ~structure.pbc].any()
    # from the other end: same atoms, opposite shift, opposite vector
    there = dict(zip(keys(pairs), pairs.vectors, strict=True))
    for (i, j, *shift), vector in there.items():
        back = there[j, i, *(-s for s in shift)]
        np.testing.assert_allclose(back, -vector, rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, False), (True, False, True)])
def test_turned_cells_with_mixed_periodicity(pbc, seed):
    """Open axes need not be those of the coordinate system."""
    made = random_structure(("Si",), 40, seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    far = np.random.default_rng(seed).uniform(-40, 40, 3)
    turned = Structure((made.positions + far) @ turn, made.atomic_numbers, made.cell @ turn, pbc)
    assert_same_pairs(turned, 3.3)


def test_atoms_far_outside_the_cell():
    """Moving atoms by lattice vectors moves the shifts and nothing else."""
    made = random_structure(("Si",), 30, 3)
    jumps = np.random.default_rng(3).integers(-50, 51, (30, 3))
    moved = Structure(made.positions + jumps @ made.cell, made.atomic_numbers, made.cell, made.pbc)
    here, there = neighbor_list(made, 4.0), neighbor_list(moved, 4.0)
    shifted = here.shifts + jumps[here.i] - jumps[here.j]
    wanted = set(zip(here.i.tolist(), here.j.tolist(), *shifted.T.tolist(), strict=True))
    assert set(keys(there)) == wanted
    assert (there.shifts[:, 0] ** 2).max() > 50**2


PRIMITIVE = {
    "sc": 1.0 * np.eye(3),
    "fcc": 0.5 * (1 - np.eye(3)),
    "bcc": 0.5 * (1 - 2 * np.eye(3)),
}


@pytest.mark.parametrize(
    ("lattice", "cutoff", "n"),
    [
        ("sc", 0.9, 0),
        ("sc", 1.1, 6),
        ("sc", 1.5, 18),
        ("sc", 1.8, 26),
        ("sc", 2.1, 32),
        ("fcc", 0.8, 12),
        ("fcc", 1.1, 18),
        ("fcc", 1.3, 42),
        ("bcc", 0.9, 8),
        ("bcc", 1.1, 14),
        ("bcc", 1.5, 26),
    ],
)
def test_shells_of_crystals(lattice, cutoff, n):
    """One atom per cell; in units of the cubic cell's edge, 4 Å here."""
    structure = Structure([[0.3, 0.1, 9.7]], [14], 4.0 * PRIMITIVE[lattice], True)
    pairs = neighbor_list(structure, 4.0 * cutoff)
    assert len(pairs.i) == n
    np.testing.assert_allclose(pairs.vectors.sum(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("pbc", "n"),
    [((False,) * 3, 0), ((True, False, False), 2), ((True, True, False), 4), ((True,) * 3, 6)],
)
@pytest.mark.parametrize("with_vectors", [True, False])
def test_periodicity_per_axis(pbc, n, with_vectors):
    """Open axes may lack their vector, and one that is there has no effect."""
    cell = 4.0 * np.eye(3) if with_vectors else np.diag(np.where(pbc, 4.0, 0.0))
    pairs = neighbor_list(Structure([[1.0, 2.0, 3.0]], [14], cell, pbc), 4.4)
    assert len(pairs.i) == n
    assert set(pairs.i) | set(pairs.j) <= {0}


@pytest.mark.parametrize(
    ("structure", "cutoff"),
    [
        (Structure([[1.0, 2.0, 3.0]], [14], np.zeros((3, 3)), False), 5.0),
        (Structure(np.zeros((0, 3)), [], np.eye(3), True), 5.0),
        (ALL["rattled"], 0.0),  # a potential without functions
    ],
)
def test_no_pairs(structure, cutoff):
    pairs = neighbor_list(structure, cutoff)
    assert pairs.i.shape == pairs.j.shape == (0,)
    assert pairs.shifts.shape == pairs.vectors.shape == (0, 3)


def test_the_cutoff_itself_is_outside():
    structure = Structure([[0, 0, 0], [2.5, 0, 0]], [14, 14], np.zeros((3, 3)), False)
    assert len(neighbor_list(structure, 2.5).i) == 0
    assert len(neighbor_list(structure, np.nextafter(2.5, 3)).i) == 2


# ---- the same place -------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.0, 0.5 * OVERLAP_DISTANCE])
@pytest.mark.parametrize("shift", [(0, 0, 0), (1, 0, 0), (2, -3, 4)])
def test_overlap(distance, shift):
    cell = np.array([[5.0, 0.0, 0.0], [1.0, 5.0, 0.0], [-2.0, 1.0, 5.0]])
    other = np.array(shift) @ cell + [0, 0, distance]
    structure = Structure([[1, 1, 1], [0, 0, 0], other], [14] * 3, cell, True)
    with pytest.raises(StructureError, match=r"atoms (1 and 2|2 and 1) are in the same place"):
        neighbor_list(structure, 3.0)


def test_close_is_not_overlapping():
    positions = [[0, 0, 0], [0, 0, 2 * OVERLAP_DISTANCE]]
    structure = Structure(positions, [14, 14], np.zeros((3, 3)), False)
    assert len(neighbor_list(structure, 3.0).i) == 2


# ---- where vesin alone would crash, hang, or forget pairs -----------------------------------


@pytest.mark.parametrize(
    ("width", "pbc"),
    [(1300.0, True), (1300.0, False), (2500.0, True), (1300.0, (True, True, False))],
)
def test_wide_sheets(width, pbc):
    """More than 10⁵ cells in a sheet one cell thick."""
    positions = [
        [0, 0, 0],
        [2, 0, 0],
        [width - 1, width - 1, 0.1],
        [0, 4.5, 0],
    ]  # the last: just outside
    structure = Structure(positions, [14] * 4, np.diag([width, width, 9.0]), pbc)
    pairs = neighbor_list(structure, 4.0)
    wanted = {(0, 1), (1, 0)} | ({(0, 2), (2, 0), (1, 2), (2, 1)} if np.all(pbc) else set())
    if pbc == (True, True, False):
        wanted |= {(0, 2), (2, 0), (1, 2), (2, 1)}
    assert set(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True)) == wanted
    assert len(pairs.i) == len(wanted)


@pytest.mark.parametrize(
    ("positions", "cell", "pbc", "message"),
    [
        ([[0, 0, 0], [1e7, 1e7, 0]], np.zeros((3, 3)), False, r"is 1e\+07 × 1e\+07 × 0 Å wide"),
        ([[0, 0, 0], [1e300, 0, 0]], np.zeros((3, 3)), False, r"or has an atom escaped\?"),
        ([[0, 0, 0], [1, 1, 1e6]], np.diag([5, 5, 0]), (True, True, False), r"engine='cpu' can"),
        ([[0, 0, 0], [1e12, 0, 0]], 5 * np.eye(3), True, r"atom 1 lies 2\.0e\+11 cells away"),
        ([[0, 0, 0]], [[5, 0, 0], [5, 1e-5, 0], [0, 0, 5]], True, r"cell is so thin \(1e-05 Å\)"),
        ([[0, 0, 0]], 1e-2 * np.eye(3), True, r"5e\+08 images: check the cell and its unit"),
    ],
)
def test_structures_that_have_come_apart(positions, cell, pbc, message):
    structure = Structure(np.array(positions, float), [14] * len(positions), cell, pbc)
    with pytest.raises(StructureError, match=message):
        neighbor_list(structure, 4.0)


def test_nanometres_are_no_angstroms():
    """The CPU engine says the same; the reference engine worked on it for minutes."""
    side = 12
    grid = np.array(list(itertools.product(range(side), repeat=3)), float) * 0.25
    cell, n = np.eye(3) * 0.25 * side, len(grid)
    structure = Structure(grid, np.full(n, 14), cell, np.full(3, True))
    text = r"atoms have on average \d+ neighbours within 4\.4 Å \(most: 10000\): .* in angstrom\?"
    with pytest.raises(StructureError, match=text):
        neighbor_list(structure, 4.4)
