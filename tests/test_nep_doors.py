"""NEP potentials through the doors that no other test takes: LAMMPS on ranks, OpenMM, slabs."""

from __future__ import annotations

import ase
import numpy as np
import pytest
from nep_files import nep_text

import nnp
from nnp.ase import NNPCalculator
from nnp.structure import as_structure
from nnp.testing import random_structure
from nnp.units import KJ_PER_MOL


@pytest.fixture(scope="module")
def potential(tmp_path_factory):
    path = tmp_path_factory.mktemp("nep") / "nep.txt"
    path.write_text(nep_text(symbols=("H", "O")))
    return nnp.load(path)


@pytest.fixture(scope="module")
def box():
    return random_structure(("H", "O"), 24, seed=6)


def test_slab_is_a_box_with_room(potential, box):
    """Without a period along c: as in a cell so long that no image is near."""
    height = box.cell[2, 2]
    atoms = ase.Atoms(box.symbols, box.positions, cell=box.cell, pbc=(True, True, False))
    wide = atoms.copy()
    wide.pbc = True
    wide.cell[2] *= 1 + 25 / height
    slab, room = (potential.evaluate(as_structure(a)) for a in (atoms, wide))
    np.testing.assert_allclose(slab.energies, room.energies, rtol=1e-12)
    np.testing.assert_allclose(slab.forces, room.forces, atol=1e-11)


def test_molecule_without_a_cell(potential):
    """As in a box with room; the calculator of ASE takes it as it is."""
    atoms = ase.Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    boxed = atoms.copy()
    boxed.set_cell([40, 40, 40])
    boxed.pbc = True
    atoms.calc = boxed.calc = NNPCalculator(potential)
    np.testing.assert_allclose(atoms.get_forces(), boxed.get_forces(), atol=1e-12)
    assert atoms.get_potential_energy() == pytest.approx(boxed.get_potential_energy(), rel=1e-12)


@pytest.mark.parametrize("ranks", [1, 3])
def test_lammps_on_ranks(potential, box, tmp_path, ranks):
    """Forces on ghosts come home; the reach of the radial functions is that of the ghosts."""
    lammps = pytest.importorskip("lammps_nnp")
    potential.save(tmp_path / "model.nnp")
    jobs = [lammps.job(box, tmp_path / "model.nnp", ("H", "O"), newton=n) for n in ("on", "off")]
    right = potential.evaluate(box)
    for result in lammps.run_jobs(jobs, tmp_path, ranks):
        found = lammps.Found(result, box)
        scale = np.abs(right.forces).max()
        np.testing.assert_allclose(found.energy, right.energy, rtol=1e-12)
        np.testing.assert_allclose(found.forces, right.forces, atol=1e-12 * scale)


def test_openmm_native(potential, box):
    """The plugin evaluates on the host and has our energy and forces."""
    pytest.importorskip("openmm", reason="OpenMM is not installed")
    from plugin_systems import native_context, need_plugin

    need_plugin()
    from openmm import unit

    atoms = ase.Atoms(box.symbols, box.positions, cell=box.cell, pbc=True)
    right = potential.evaluate(as_structure(atoms))
    state = native_context(potential, atoms).getState(energy=True, forces=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.angstrom)
    assert energy * KJ_PER_MOL == pytest.approx(right.energy, rel=1e-9)
    # OpenMM turns the cell: lengths are compared
    lengths = [np.linalg.norm(f, axis=1) for f in (forces * KJ_PER_MOL, right.forces)]
    np.testing.assert_allclose(*lengths, atol=1e-9 * lengths[1].max())
