"""Lennard-Jones and Vashishta: known answers, derivatives, ends at the cutoff, messages.

`test_teachers_lammps.py` compares their numbers, `test_stillinger_weber.py` is about silicon.
"""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nnp.errors import OptionError, StructureError
from nnp.structure import as_structure
from nnp.teachers.ase import LennardJones, StillingerWeber, Vashishta
from nnp.teachers.lennard_jones import ARGON, LennardJonesParameters, lennard_jones
from nnp.teachers.sums import Bending, Pairs, bending_sum
from nnp.teachers.vashishta import SILICA, vashishta

# Central differences with this step (Å, or strain) leave an error of h² times the third
# derivative: some 1e-10 of hundreds of eV/Å³; rounding of a few hundred eV adds 1e-13 / h.
STEP = 1e-5
DIFFERENCE_ATOL = 1e-7
MIXTURE = LennardJonesParameters({"Ar": (0.0104, 3.4), "Kr": (0.0141, 3.65)}, 6.0)
SMOOTH = LennardJonesParameters(MIXTURE.elements, 6.0, smooth=True)
SOFT = Bending(9.0, 1.0, 3.4, -0.5, softening=5.0)


def shaken(atoms: Atoms) -> Atoms:
    atoms = atoms.copy()
    atoms.positions += 0.1 * np.sin(np.arange(3 * len(atoms))).reshape(-1, 3)
    shear = np.array([[1.02, 0, 0], [0.09, 0.99, 0.02], [-0.15, 0.13, 1.01]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    return atoms


def noble() -> Atoms:
    atoms = bulk("Ar", a=5.4, cubic=True) * (2, 1, 1)
    atoms.symbols[1::2] = "Kr"
    return shaken(atoms)


def rock() -> Atoms:
    silicon = bulk("Si", a=7.16, cubic=True)
    bond = 7.16 / 8 * np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
    sites = silicon.positions[::2, None] + bond
    return shaken(silicon + Atoms("O16", sites.reshape(-1, 3)))


def soft_angles(structure):
    return bending_sum(Pairs.closer_than(3.4, structure), SOFT)


CASES = {
    "Lennard-Jones": (noble, lambda structure: lennard_jones(structure, MIXTURE)),
    "smooth Lennard-Jones": (noble, lambda structure: lennard_jones(structure, SMOOTH)),
    "Vashishta": (rock, vashishta),
    "soft angles": (rock, soft_angles),
}


def slope(atoms, evaluate, change):
    """dE/dh of ``change(copy, h)``."""
    ends = []
    for sign in (1, -1):
        changed = atoms.copy()
        change(changed, sign * STEP)
        ends.append(evaluate(as_structure(changed)).energies.sum())
    return (ends[0] - ends[1]) / (2 * STEP)


@pytest.mark.parametrize("name", CASES)
def test_forces_and_virial_are_slopes(name):
    make, evaluate = CASES[name]
    atoms = make()
    result = evaluate(as_structure(atoms))
    assert np.abs(result.forces).max() > 0.01
    for atom, axis in ((0, 0), (3, 1), (len(atoms) - 1, 2)):

        def move(changed, h, atom=atom, axis=axis):
            changed.positions[atom, axis] += h

        wanted = slope(atoms, evaluate, move)
        assert -result.forces[atom, axis] == pytest.approx(wanted, abs=DIFFERENCE_ATOL)
    for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):

        def strain(changed, h, a=a, b=b):
            deformation = np.eye(3)
            deformation[a, b] += h
            changed.set_cell(changed.cell.array @ deformation, scale_atoms=True)

        wanted = slope(atoms, evaluate, strain)
        assert result.virial[a, b] == pytest.approx(wanted, abs=30 * DIFFERENCE_ATOL)


def dimer(evaluate, symbols, r):
    return evaluate(as_structure(Atoms(symbols, [[0, 0, 0], [0, 0, r]])))


@pytest.mark.parametrize(
    ("evaluate", "symbols", "cutoff", "smooth"),
    [
        (CASES["Lennard-Jones"][1], "ArKr", 6.0, False),
        (CASES["smooth Lennard-Jones"][1], "ArKr", 6.0, True),
        (vashishta, "SiO", SILICA.cutoff, True),
    ],
)
def test_ends_at_the_cutoff(evaluate, symbols, cutoff, smooth):
    beyond, near, inside = (
        dimer(evaluate, symbols, cutoff + d) for d in (1e-9, -1e-6, -cutoff / 2)
    )
    assert beyond.energies.tolist() == [0, 0]
    assert abs(near.energies.sum()) < 1e-8
    assert (abs(near.forces).max() < 1e-6) == smooth
    assert abs(inside.energies.sum()) > 1e-3


def test_two_well_depths_apart():
    """A dimer of argon: epsilon deep, but for the energy at the cutoff."""
    epsilon, sigma = ARGON.elements["Ar"]
    lowest = dimer(lennard_jones, "Ar2", sigma * 2 ** (1 / 6))
    at_cutoff = 4 * epsilon * (0.4**12 - 0.4**6)
    assert lowest.energies.sum() == pytest.approx(-epsilon - at_cutoff, rel=1e-12)
    assert np.abs(lowest.forces).max() < 1e-14
    np.testing.assert_allclose(lowest.energies[0], lowest.energies[1])


def test_elements_mix():
    epsilon, sigma = MIXTURE.of_pair("Ar", "Kr")
    assert epsilon == pytest.approx(np.sqrt(0.0104 * 0.0141))
    assert sigma == pytest.approx(3.525)
    own = LennardJonesParameters(MIXTURE.elements, 6.0, pairs={("Kr", "Ar"): (0.02, 3.0)})
    assert own.of_pair("Ar", "Kr") == own.of_pair("Kr", "Ar") == (0.02, 3.0)


def test_silica_prefers_its_angles():
    """The three-body term vanishes at the tetrahedral angle and at 141.00° of Si-O-Si."""
    assert np.degrees(np.arccos(SILICA.bending["O", "Si"].cos_theta_0)) == pytest.approx(141, 1e-5)

    def bent(degrees):
        angle = np.radians(degrees)
        ends = 1.6 * np.array([[1, 0, 0], [np.cos(angle), np.sin(angle), 0]])
        structure = as_structure(Atoms("OSi2", [[0, 0, 0], *ends]))
        pairs = Pairs.closer_than(2.6, structure).between("O", "Si")
        return bending_sum(pairs, SILICA.bending["O", "Si"]).energies

    assert bent(141.0)[0] == pytest.approx(0, abs=1e-9)
    assert bent(120.0)[0] > 0.1
    assert bent(120.0)[1:].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("calculator", "atoms", "evaluate"),
    [(LennardJones, bulk("Ar", a=5.3), lennard_jones), (Vashishta, rock(), vashishta)],
)
def test_calculators_pass_everything_on(calculator, atoms, evaluate):
    atoms = atoms.copy()
    atoms.calc = calculator()
    result = evaluate(as_structure(atoms))
    assert atoms.get_potential_energy() == pytest.approx(result.energies.sum())
    np.testing.assert_array_equal(atoms.get_potential_energies(), result.energies)
    np.testing.assert_array_equal(atoms.get_forces(), result.forces)
    np.testing.assert_allclose(
        atoms.get_stress(voigt=False) * atoms.get_volume(), result.virial, atol=1e-9
    )


@pytest.mark.parametrize("calculator", [LennardJones, StillingerWeber, Vashishta])
def test_other_elements_are_refused(calculator):
    atoms = bulk("Ge")
    atoms.calc = calculator()
    with pytest.raises(StructureError, match=r"atoms hold Ge: .* knows only .*; remove"):
        atoms.get_potential_energy()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (({}, 5.0), "elements is empty"),
        (({"Ar": (0.01, -3.4)}, 5.0), r"parameters of Ar: \(0.01, -3.4\)"),
        (({"Ar": (0.01, 3.4)}, 0.0), "cutoff = 0.0"),
        (({"Ar": (0.01, 3.4)}, 5.0, False, {("Ar", "Kr"): (0.0, 3.4)}), "'Ar', 'Kr'"),
    ],
)
def test_bad_parameters(values, message):
    with pytest.raises(OptionError, match=message):
        LennardJonesParameters(*values)
