"""Structures are checked once, where they enter."""

from __future__ import annotations

import re
from types import SimpleNamespace

import ase
import numpy as np
import pytest
from ase.build import bulk

from nnp.errors import StructureError
from nnp.structure import Structure, as_structure
from nnp.testing import random_potential, structures

CUBE = 5.0 * np.eye(3)


def structure(positions=((0, 0, 0), (1, 1, 1)), numbers=(14, 14), cell=CUBE, pbc=True):
    return Structure(positions, numbers, cell, pbc)


@pytest.fixture(scope="module")
def potential():
    return random_potential(("H", "O"), 0, ("radial",))


def test_types_and_shapes():
    made = structure([[0, 0, 0], [1, 1, 1]], [14, 8], [[5, 0, 0], [0, 5, 0], [0, 0, 5]], True)
    assert made.positions.dtype == made.cell.dtype == np.float64
    assert made.atomic_numbers.dtype == np.int64
    assert made.pbc.tolist() == [True] * 3
    assert (len(made), made.symbols) == (2, ["Si", "O"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"positions": np.zeros((2, 2))}, r"positions has shape \(2, 2\): \(n, 3\) is expected"),
        ({"positions": np.zeros(6)}, r"positions has shape \(6,\): \(n, 3\) is expected"),
        ({"positions": np.zeros((1, 2, 3))}, r"positions has shape \(1, 2, 3\)"),
        ({"positions": [[0, 0, "x"]]}, r"positions cannot be read as an array of numbers: could"),
        ({"positions": [[0, 0], [0, 0, 0]]}, r"positions cannot be read as an array of numbers"),
        ({"positions": np.zeros((3, 3))}, r"3 positions but 2 atomic_numbers"),
        ({"positions": [[0, 0, 0], [0, np.nan, 0]]}, r"position of atom 1 is .*nan.*: not finite"),
        ({"positions": [[np.inf, 0, 0], [0, 0, 0]]}, r"position of atom 0 is .*inf.*: not finite"),
        ({"numbers": (14, 0)}, r"atomic number of atom 1 is 0: no such element"),
        ({"numbers": (119, 14)}, r"atomic number of atom 0 is 119: no such element"),
        ({"numbers": (14, -1)}, r"atomic number of atom 1 is -1: no such element"),
        ({"numbers": (14, 14.5)}, r"atomic number of atom 1 is 14\.5: no such element"),
        ({"numbers": (14, np.nan)}, r"atomic number of atom 1 is nan: no such element"),
        ({"numbers": ("Si", "Si")}, r"atomic_numbers cannot be read as an array of numbers"),
        ({"numbers": [[14, 14]]}, r"atomic_numbers has shape \(1, 2\): \(n,\) is expected"),
        ({"cell": [5.0, 5.0, 5.0]}, r"cell has shape \(3,\): \(3, 3\) is expected"),
        ({"cell": np.full((3, 3), np.nan)}, r"cell has values that are not finite"),
        ({"pbc": [True, False]}, r"pbc has shape \(2,\): \(3,\) is expected"),
        ({"cell": np.zeros((3, 3))}, r"pbc is True along axis 0 but its cell vector is zero: set"),
        (
            {"cell": np.diag([5.0, 5.0, 0.0])},
            r"pbc is True along axis 2 but .* is zero: set the vector or pbc\[2\]=False",
        ),
        ({"cell": np.ones((3, 3))}, r"the periodic cell vectors .* span no volume: they must be"),
        ({"cell": [[5, 0, 0], [0, 5, 0], [5, 5, 1e-9]]}, r"span no volume"),
        ({"cell": [[5, 0, 0], [5, 0, 0], [0, 0, 5]], "pbc": (True, True, False)}, r"span no vol"),
    ],
)
def test_what_cannot_be(values, message):
    with pytest.raises(StructureError, match=message):
        structure(**values)


@pytest.mark.parametrize(
    ("cell", "pbc"),
    [
        (np.zeros((3, 3)), False),
        (np.diag([5.0, 0, 0]), (True, False, False)),
        (np.diag([5.0, 5.0, 0.0]), (True, True, False)),
        ([[5, 0, 0], [5, 0, 0], [0, 0, 5]], (True, False, True)),  # flat only where it is open
        ([[5, 0, 0], [0, 5, 0], [5, 5, 1e-3]], True),  # thin is not flat
        (1e-3 * CUBE, True),  # small is not flat
        (-CUBE, True),  # left-handed
    ],
)
def test_cells_that_are_sound(cell, pbc):
    assert len(structure(cell=cell, pbc=pbc)) == 2


def test_volume():
    assert structure(cell=[[2, 0, 0], [1, 3, 0], [7, 7, -4]]).volume == pytest.approx(24, rel=1e-14)


@pytest.mark.parametrize("pbc", [False, (True, True, False)])
def test_no_volume_and_no_stress_without_three_periodic_axes(potential, pbc):
    open_one = structure(numbers=(1, 8), pbc=pbc)
    message = r"a volume \(and so a stress\) needs pbc along all three axes, got .* pbc=True"
    with pytest.raises(StructureError, match=message):
        _ = open_one.volume
    with pytest.raises(StructureError, match=message):
        potential.evaluate(open_one, "reference", stress=True)
    assert potential.evaluate(open_one, "reference").stress is None


# ---- other people's objects -----------------------------------------------------------------


def test_ase_atoms():
    atoms = bulk("Si", cubic=False)
    atoms.rattle(0.1, seed=0)
    made = as_structure(atoms)
    np.testing.assert_array_equal(made.positions, atoms.positions)
    np.testing.assert_array_equal(made.atomic_numbers, atoms.numbers)
    np.testing.assert_array_equal(made.cell, atoms.cell.array)
    np.testing.assert_array_equal(made.pbc, atoms.pbc)
    assert as_structure(made) is made


def test_anything_with_the_four_attributes():
    atoms = SimpleNamespace(positions=[[0, 0, 0]], numbers=[1], cell=np.zeros((3, 3)), pbc=False)
    assert as_structure(atoms).symbols == ["H"]


@pytest.mark.parametrize("wrong", [None, 3, "Si2", np.zeros((2, 3)), {"positions": []}, ase.Atom])
def test_objects_that_are_no_structure(potential, wrong):
    message = rf"atoms is a {type(wrong).__name__}: give an ase.Atoms or an nnp.Structure"
    with pytest.raises(StructureError, match=message):
        as_structure(wrong)
    with pytest.raises(StructureError, match=message):
        potential.evaluate(wrong, "reference")


def test_dummy_atoms_of_ase():
    with pytest.raises(StructureError, match="atomic number of atom 1 is 0: no such element"):
        as_structure(ase.Atoms("HX", positions=np.eye(3)[:2]))


# ---- a structure and a potential ------------------------------------------------------------

ENGINES = ["reference", "cpu"]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_atoms(potential, engine):
    for empty in (ase.Atoms(), ase.Atoms(cell=CUBE, pbc=True)):
        with pytest.raises(StructureError, match="the structure has no atoms"):
            potential.evaluate(empty, engine)
        with pytest.raises(StructureError, match="the structure has no atoms"):
            potential.descriptors(empty, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("symbols", "atom", "symbol"), [("OHCH", 2, "C"), ("UHO", 0, "U"), ("HHe", 1, "He")]
)
def test_foreign_element(potential, engine, symbols, atom, symbol):
    atoms = ase.Atoms(symbols)
    atoms.positions = 2.0 * np.arange(3 * len(atoms)).reshape(-1, 3)
    message = (
        rf"atom {atom} is {symbol}, but the potential knows only H, O: take one that was trained "
        rf"with {symbol}$"
    )
    with pytest.raises(StructureError, match=message):
        potential.evaluate(atoms, engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("positions", "pbc"),
    [
        ([[0, 0, 0], [1, 1, 1], [1, 1, 1]], False),
        ([[0, 0, 0], [1, 1, 1], [1, 1, 1 + 1e-8]], False),
        ([[0, 0, 0], [1, 1, 1], [6, 1, -4]], True),  # images of one another
    ],
)
def test_overlapping_atoms(potential, engine, positions, pbc):
    atoms = ase.Atoms("HHO", positions=positions, cell=CUBE, pbc=pbc)
    with pytest.raises(StructureError, match=r"atoms (1 and 2|2 and 1) are in the same place"):
        potential.evaluate(atoms, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_images_that_do_not_overlap(potential, engine):
    """The same positions without the periodicity are far apart."""
    atoms = ase.Atoms("HHO", positions=[[0, 0, 0], [1, 1, 1], [6, 1, -4]], cell=CUBE)
    assert np.isfinite(potential.evaluate(atoms, engine).energy)


def test_lists_name_the_culprit(potential):
    atoms = ase.Atoms("HO", positions=[[0, 0, 0], [1, 1, 1]])
    results = potential.evaluate([atoms, atoms], "reference")
    assert len(results) == 2
    with pytest.raises(StructureError, match=re.escape("structure 1: the structure has no atoms")):
        potential.evaluate([atoms, ase.Atoms()], "reference")


def test_moved_checks_what_is_new():
    start = structures()["triclinic"]
    moved = start.moved(start.positions + 1.0, 2 * start.cell)
    np.testing.assert_array_equal(moved.positions, start.positions + 1.0)
    np.testing.assert_array_equal(moved.cell, 2 * start.cell)
    assert moved.atomic_numbers is start.atomic_numbers
    assert start.moved(start.positions).cell is start.cell
    for positions, cell, message in (
        (start.positions[:-1], None, "positions but"),
        (np.full_like(start.positions, np.nan), None, "position of atom 0 .* not finite"),
        (start.positions, np.zeros((3, 3)), "cell vector is zero"),
    ):
        with pytest.raises(StructureError, match=message):
            start.moved(positions, cell)
