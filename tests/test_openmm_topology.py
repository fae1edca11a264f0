"""What OpenMM reads as start; residues and chains from files to outputs; cells that are none."""

from __future__ import annotations

import io

import numpy as np
import openmm
import pytest
from ase.build import bulk
from ase.io import read
from openmm import app, unit
from pair_potential import pair_potential
from runs import crystal, nnp, write_inputs

from nnp.errors import StructureError
from nnp.io.structures import read_structures
from nnp.openmm import create_simulation, create_system, to_openmm

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

CRYST = "CRYST1{0:9.3f}{0:9.3f}{0:9.3f}  90.00  90.00  90.00 P 1           1\n"


def pdb_text(edge=7.434):
    """Silicon in residues of four, of two chains."""
    lines = [CRYST.format(edge)] if edge else []
    for i, (x, y, z) in enumerate(crystal().positions):
        residue, chain = i // 4 + 11, "AB"[i // 16]
        name = f"SI{i % 4 + 1}"
        lines.append(
            f"HETATM{i + 1:5d} {name:<4s} QRZ {chain}{residue:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
            "  1.00  0.00          SI  \n"
        )
    return "".join([*lines, "END\n"])


def energy_of(simulation):
    state = simulation.context.getState(energy=True)
    return state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole) / 96.48533212


def simulation_of(given):
    return create_simulation(pair_potential(), given, openmm.VerletIntegrator(0.001))


@pytest.fixture
def pdb():
    return app.PDBFile(io.StringIO(pdb_text()))


def test_what_openmm_reads_begins_a_simulation(pdb):
    atoms = crystal()
    atoms.positions = np.round(atoms.positions, 3)
    atoms.set_cell([7.434] * 3)
    wanted = pair_potential().evaluate(atoms).energy
    modeller = app.Modeller(pdb.topology, pdb.positions)
    pdbx = io.StringIO()
    app.PDBxFile.writeFile(pdb.topology, pdb.positions, pdbx, keepIds=True)
    pdbx.seek(0)
    parts = (pdb.topology, np.array(pdb.positions.value_in_unit(unit.nanometer)))
    for given in (pdb, modeller, app.PDBxFile(pdbx), parts):
        simulation = simulation_of(given)
        assert energy_of(simulation) == pytest.approx(wanted, abs=1e-3)
        residues = list(simulation.topology.residues())
        assert [residue.name for residue in residues] == ["QRZ"] * 8
        assert [residue.id for residue in residues] == [str(n) for n in range(11, 19)]
        assert [chain.id for chain in simulation.topology.chains()] == ["A", "B"]
    assert create_system(pair_potential(), pdb).getNumParticles() == 32


def test_a_placeholder_is_no_cell():
    """CRYST1 of 1 Å would fold everything into one place."""
    found = to_openmm(app.PDBFile(io.StringIO(pdb_text(1.0))))
    assert found.box_nm is None
    assert found.topology.getPeriodicBoxVectors() is None
    assert to_openmm(app.PDBFile(io.StringIO(pdb_text(None)))).box_nm is None


def test_boxes_that_are_not_reduced_become_so(pdb):
    wanted = energy_of(simulation_of(pdb))
    edge, topology = 0.7434, pdb.topology
    rows = [(edge, 0, 0), (edge, edge, 0), (0, 0, edge)]
    topology._periodicBoxVectors = [openmm.Vec3(*row) for row in rows] * unit.nanometer
    assert energy_of(simulation_of((topology, pdb.positions))) == pytest.approx(wanted, abs=1e-6)


def test_refusals(pdb):
    with pytest.raises(StructureError, match="31 positions for a topology of 32 atoms"):
        simulation_of((pdb.topology, list(pdb.positions)[:31]))
    *_, residue = pdb.topology.residues()
    pdb.topology.addAtom("EP", None, residue)
    with pytest.raises(StructureError, match=r"\('EP'\) of the topology has no element"):
        simulation_of((pdb.topology, [*pdb.positions, openmm.Vec3(0, 0, 0)]))


def test_residues_and_chains_stand_in_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    (tmp_path / "start.pdb").write_text(pdb_text())
    words = ("--steps", "20", "--frame-interval", "10", "--no-pictures", "--trajectory", "md.pdb")
    assert nnp("md", "model.nnp", "start.pdb", *words, "--trajectory", "md.xtc") == 0
    for name, models in (("md.pdb", 3), ("md.topology.pdb", 1)):
        found = app.PDBFile(name)
        assert found.getNumFrames() == models
        residues = list(found.topology.residues())
        assert [(r.name, r.id, r.chain.id) for r in residues] == [
            ("QRZ", str(11 + n), "AB"[n // 4]) for n in range(8)
        ]
        assert [atom.name for atom in residues[0].atoms()] == ["SI1", "SI2", "SI3", "SI4"]
        assert {atom.element.symbol for atom in found.topology.atoms()} == {"Si"}
    repeat = ("--repeat", "2", "1", "1", "--output", "big", "--trajectory", "big.pdb")
    assert nnp("md", "model.nnp", "start.pdb", "--steps", "0", "--no-pictures", *repeat) == 0
    assert app.PDBFile("big.pdb").topology.getNumResidues() == 16
    assert len(read("big.final.extxyz")) == 64


def test_a_structure_without_residues_has_one_per_atom():
    topology = to_openmm(bulk("Si", cubic=True)).topology
    assert topology.getNumResidues() == topology.getNumAtoms() == 8


def test_chains_are_read(tmp_path):
    (tmp_path / "start.pdb").write_text(pdb_text())
    (atoms,) = read_structures(tmp_path / "start.pdb")
    assert atoms.arrays["chainids"].tolist() == ["A"] * 16 + ["B"] * 16
