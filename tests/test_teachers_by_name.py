"""Teachers by name, an OpenMM System among them, as `nnp sample` takes them."""

from __future__ import annotations

import sys

import ase.io
import numpy as np
import pytest
from ase.build import bulk, molecule

from nnp.cli import main
from nnp.errors import (
    FileFormatError,
    NumericalError,
    OptionError,
    StructureError,
    UnavailableError,
)
from nnp.teachers.ase import LennardJones
from nnp.teachers.by_name import teacher
from nnp.teachers.lennard_jones import ARGON
from nnp.train.data.sampling import SampleSettings, sample
from nnp.units import KJ_PER_MOL

FEW = SampleSettings((100.0,), (1.0,), 2, 2, 2, seed=1)


def test_options_reach_lennard_jones():
    assert teacher("lennard-jones")().potential == ARGON
    options = {"Ar": (0.01, 3.4), "Kr": [0.014, 3.65], "cutoff": 8, "smooth": True}
    found = teacher("lennard-jones", options)().potential
    assert found.elements == {"Ar": (0.01, 3.4), "Kr": [0.014, 3.65]}
    assert (found.cutoff, found.smooth) == (8, True)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("nobody", {}, OptionError, r"--teacher 'nobody': allowed are stillinger-weber, .*path"),
        ("vashishta", {"cutoff": 5}, OptionError, "vashishta takes no options, got cutoff"),
        ("lennard-jones", {"Ar": (1, 3)}, OptionError, "got Ar: it takes X=epsilon,sigma"),
        ("lennard-jones", {"Ar": 1, "cutoff": 8}, OptionError, "Ar = 1: epsilon,sigma"),
        ("lennard-jones", {"Ar": (1, 3), "cutoff": "x"}, OptionError, "TypeError"),
    ],
)
def test_bad_names_and_options(name, options, error, message):
    with pytest.raises(error, match=message):
        teacher(name, options)


def test_any_calculator_of_ase():
    (snapshot, _) = sample([bulk("Cu", cubic=True)], teacher("emt"), FEW)
    assert np.abs(snapshot.get_forces()).max() > 0.01


def test_tblite():
    pytest.importorskip("tblite", reason="tblite is not installed: pip install 'tblite[ase]'")
    first, _ = sample([molecule("H2O")], teacher("tblite:GFN1-xTB"), FEW)
    assert first.get_potential_energy() == pytest.approx(-157.0, abs=1)  # eV, of GFN1
    assert np.abs(first.get_forces()).max() > 0.1
    with pytest.raises(UnavailableError, match=r"TBLite cannot compute H2O: .*GFN9-xTB"):
        sample([molecule("H2O")], teacher("tblite:GFN9-xTB"), FEW)


def test_missing_programs_are_one_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # Dftb writes its input before it looks for the program
    monkeypatch.setitem(sys.modules, "tblite.ase", None)
    with pytest.raises(UnavailableError, match="needs tblite: pip install"):
        teacher("tblite")
    with pytest.raises(UnavailableError, match="Dftb cannot compute H2O: "):
        sample([molecule("H2O")], teacher("dftb"), FEW)


openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")


def argon_system(atoms, periodic=True):
    """Argon as OpenMM has it: the teacher's constants in its units, cut at r_c without a shift."""
    system = openmm.System()
    force = openmm.NonbondedForce()
    epsilon, sigma = ARGON.elements["Ar"]
    for _ in atoms:
        system.addParticle(39.95)
        force.addParticle(0.0, sigma / 10, epsilon / KJ_PER_MOL)
    force.setNonbondedMethod(force.CutoffPeriodic if periodic else force.NoCutoff)
    force.setCutoffDistance(0.85)
    force.setUseDispersionCorrection(False)
    system.addForce(force)
    if periodic:
        system.setDefaultPeriodicBoxVectors(*(atoms.cell.array / 10))
    return system


def write_system(system, path):
    path.write_text(openmm.XmlSerializer.serialize(system))
    return str(path)


@pytest.mark.parametrize("left_handed", [False, True])
def test_openmm_system_labels_in_our_units(tmp_path, left_handed):
    """A molecule cut nowhere, and a skewed cell of which every pair but none at r_c counts."""
    from nnp.openmm.system_calculator import SystemCalculator

    atoms = bulk("Ar", a=5.3, cubic=True) * (4, 4, 4)
    atoms.rattle(0.1, seed=3)
    shear = np.array([[1.0, 0.05, 0.02], [0.0, 1.0, 0.1], [0.04, 0, 1.0]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    if left_handed:
        atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    system = argon_system(bulk("Ar", a=5.3, cubic=True) * (4, 4, 4))
    path = write_system(system, tmp_path / "argon.xml")
    wanted = LennardJones()
    atoms.calc = SystemCalculator(path, "Reference")
    forces = atoms.get_forces()
    # the shift of the energy at r_c has no force
    np.testing.assert_allclose(forces, wanted.get_forces(atoms), rtol=0, atol=1e-9)
    pairs = wanted.get_potential_energy(atoms) - atoms.get_potential_energy()
    epsilon = ARGON.elements["Ar"][0]
    step = -4 * epsilon * (0.4**12 - 0.4**6)
    assert pairs / step == pytest.approx(round(pairs / step), abs=1e-6)
    assert pairs / step > 1000


def test_sample_from_an_openmm_system(tmp_path):
    start = molecule("C2H6")
    atoms = bulk("Ar", cubic=True)
    atoms.pbc = False
    atoms.rattle(0.05, seed=1)
    path = write_system(argon_system(atoms, periodic=False), tmp_path / "cluster.xml")
    ase.io.write(tmp_path / "start.xyz", atoms)
    words = ["--snapshots", "2", "--interval", "2", "--equilibration", "1", "--temperatures", "30"]
    files = [str(tmp_path / "start.xyz"), str(tmp_path / "out.extxyz")]
    assert main(["sample", *files, "--teacher", path, "--set", "platform=Reference", *words]) == 0
    for snapshot in ase.io.read(files[1], ":"):
        assert "stress" not in snapshot.calc.results
        assert np.abs(snapshot.get_forces()).max() > 1e-4
    with pytest.raises(StructureError, match="4 particles, the structure 8 atoms"):
        sample([start], teacher(path), FEW)


def test_bad_openmm_systems(tmp_path):
    from nnp.openmm.system_calculator import SystemCalculator

    atoms = bulk("Ar", a=5.3, cubic=True) * (4, 4, 4)
    system = argon_system(atoms)

    def refused(structure, error, message):
        structure.calc = SystemCalculator(system, "Reference")
        with pytest.raises(error, match=message):
            structure.get_forces()

    cluster = atoms.copy()
    cluster.pbc = False
    refused(cluster, StructureError, "System is periodic, .* set pbc to True")
    neon = atoms.copy()
    neon.symbols[:] = "Ne"
    refused(neon, StructureError, "particle 0 of the System weighs 40.0 u, atom 0 .* is Ne")
    small = atoms.copy()
    small.set_cell(atoms.cell * 0.5, scale_atoms=True)
    refused(small, (StructureError, NumericalError), "OpenMM")
    system.addConstraint(0, 1, 0.37)
    with pytest.raises(OptionError, match=r"1 constraints, .* rigidWater=False"):
        SystemCalculator(system)
    (tmp_path / "force.xml").write_text(openmm.XmlSerializer.serialize(openmm.NonbondedForce()))
    with pytest.raises(FileFormatError, match="holds a NonbondedForce"):
        SystemCalculator(tmp_path / "force.xml")
    (tmp_path / "text.xml").write_text("hello")
    with pytest.raises(FileFormatError, match="holds no OpenMM System"):
        teacher(str(tmp_path / "text.xml"))
