"""Real potentials against the numbers of the code that made them (`reference_data`)."""

from __future__ import annotations

import subprocess
import sys

import ase.io
import numpy as np
import pytest

import nnp
from nnp.io.n2p2.data import read_data
from nnp.structure import as_structure
from nnp.testing import assert_forces_match_energy
from nnp.units import BOHR, HARTREE

# The answers of mlearn were made with these; ours are CODATA 2022.
BOHR_OF_ANSWERS, HARTREE_OF_ANSWERS = 0.52917721092, 27.21138505

FOLDERS = {"H2O_RPBE-D3": None, "DMABN_SCAN": None, "LJ_dimers": "metal"}


@pytest.fixture(scope="module", params=FOLDERS)
def n2p2_case(request, reference_data):
    folder = reference_data / "n2p2" / request.param
    potential = nnp.load(folder, units=FOLDERS[request.param])
    structures = [frame.structure for frame in read_data(folder / "input.data", potential.units)]
    return potential, structures, np.load(folder / "expected.npz")


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_energies_and_forces(n2p2_case, engine):
    potential, structures, expected = n2p2_case
    length, energy = potential.units.length_in_angstrom, potential.units.energy_in_ev
    results = potential.evaluate(structures, engine)
    energies = np.array([result.energy for result in results]) / energy
    forces = np.concatenate([result.forces for result in results]) * length / energy
    # the dimers' answers have nine digits, the others sixteen
    nine_digits = len(structures) > 1
    np.testing.assert_allclose(energies, expected["energy"], rtol=5e-9 if nine_digits else 1e-10)
    largest = np.abs(expected["forces"]).max()
    atol = 5e-9 * largest if nine_digits else 1e-9
    np.testing.assert_allclose(forces, expected["forces"], rtol=0, atol=atol)
    if "atomic_energy" in expected:
        offset = (results[0].energy / energy - expected["atomic_energy"].sum()) / len(forces)
        np.testing.assert_allclose(
            results[0].energies / energy - offset, expected["atomic_energy"], rtol=0, atol=1e-10
        )


@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("name", ["H2O_RPBE-D3", "DMABN_SCAN"])
def test_functions(reference_data, name, engine):
    folder = reference_data / "n2p2" / name
    potential = nnp.load(folder)
    (frame,) = read_data(folder / "input.data", potential.units)
    expected = np.load(folder / "expected.npz")
    for scaled, key in ((False, "G_raw"), (True, "G_scaled")):
        functions = potential.descriptors(frame.structure, scaled, engine)
        pairs = zip(expected["G_atom"], expected["G_index"], strict=True)
        got = np.array([functions[atom][index] for atom, index in pairs])
        np.testing.assert_allclose(got, expected[key], rtol=0, atol=1e-10)


@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("element", ["Si", "Li"])
def test_mlearn(reference_data, element, engine):
    """All nine printed digits; forces where no atom sees its own image.

    Where one does (a cell edge below the cutoff), n2p2's forces are not its energy's derivative;
    ours are: `test_forces_of_cells_below_the_cutoff`.
    """
    potential = nnp.load(reference_data / "mlearn" / element / "potential")
    images = ase.io.read(reference_data / "mlearn" / element / "test.extxyz", ":")
    expected = np.load(reference_data / "mlearn" / element / "expected_test.npz")
    scale = BOHR / BOHR_OF_ANSWERS
    for atoms in images:  # the same numbers in bohr as the answers were made with
        atoms.set_cell(atoms.cell * scale, scale_atoms=True)
    results = potential.evaluate(images, engine)
    energies = np.array([result.energy for result in results]) / HARTREE
    np.testing.assert_allclose(energies, expected["energy_hartree"], rtol=5e-9)
    starts = np.concatenate([[0], np.cumsum(expected["natoms"])])
    compared = 0
    for atoms, result, start in zip(images, results, starts, strict=False):
        if _shortest_translation(atoms) < potential.cutoff:
            continue
        wanted = expected["forces_hartree_per_bohr"][start : start + len(atoms)]
        # the positions behind the answers were written with eight decimals
        np.testing.assert_allclose(result.forces * BOHR / HARTREE, wanted, rtol=0, atol=5e-9)
        compared += 1
    assert compared > len(images) / 2


@pytest.mark.parametrize("element", ["Si", "Li"])
def test_forces_of_cells_below_the_cutoff(reference_data, element):
    potential = nnp.load(reference_data / "mlearn" / element / "potential")
    images = ase.io.read(reference_data / "mlearn" / element / "test.extxyz", ":")
    small = [atoms for atoms in images if _shortest_translation(atoms) < potential.cutoff]
    assert small
    for atoms in small[:2]:
        assert_forces_match_energy(potential, as_structure(atoms), "reference")


def _shortest_translation(atoms):
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
    lengths = np.linalg.norm(steps @ atoms.cell.array, axis=1)
    return lengths[lengths > 0].min()


def test_mlearn_errors_against_dft(reference_data):
    """The errors of the shipped potentials on DFT data, as measured with n2p2."""
    wanted = {"Si": (5.63e-3, 0.109), "Li": (0.750e-3, 0.0168)}
    for element, (energy_mae, force_mae) in wanted.items():
        potential = nnp.load(reference_data / "mlearn" / element / "potential")
        images = ase.io.read(reference_data / "mlearn" / element / "test.extxyz", ":")
        results = potential.evaluate(images)
        energy = [
            (r.energy - a.get_potential_energy()) / len(a)
            for r, a in zip(results, images, strict=True)
        ]
        force = np.concatenate(
            [(r.forces - a.get_forces()).ravel() for r, a in zip(results, images, strict=True)]
        )
        assert np.abs(energy).mean() == pytest.approx(energy_mae, rel=5e-3)
        assert np.abs(force).mean() == pytest.approx(force_mae, rel=5e-3)


def test_water_box_fits_in_four_gigabytes(reference_data):
    """1,080 atoms, energy and forces with the reference engine."""
    script = (
        "import resource, sys, nnp\n"
        "from nnp.io.n2p2.data import read_data\n"
        "potential = nnp.load(sys.argv[1])\n"
        "(frame,) = read_data(sys.argv[1] + '/input.data', potential.units)\n"
        "assert len(frame.structure) == 1080\n"
        "potential.evaluate(frame.structure, 'reference')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    folder = str(reference_data / "n2p2" / "H2O_RPBE-D3")
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 4e9
