"""The torch operator, the two TorchScript exports, and the neighbour list of the portable one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
import torch

import nnp.openmm
from nnp import ops
from nnp.cutoffs import CutoffKind
from nnp.errors import OptionError, OutputExistsError, StructureError
from nnp.neighbors import neighbor_list
from nnp.openmm import export_torchscript, torch_force
from nnp.testing import (
    FAMILIES,
    FORCE_RTOL_FLOAT64,
    random_potential,
    random_structure,
    structures,
)
from nnp.torchscript import PortableModel, bins, block_ends, images, pairs
from nnp.units import KJ_PER_MOL, NANOMETRE

FULLY = sorted(n for n, s in structures().items() if s.pbc.all() or not s.pbc.any())
ENGINES = ("reference", "cpu")


@pytest.fixture(scope="module")
def oxide():
    return random_potential(("H", "O"), seed=4, families=("radial", "angular_narrow"))


@pytest.fixture(scope="module")
def simple():
    """Radial functions alone: torch compiles them in a moment."""
    return random_potential(("H", "O"), seed=4, families=("radial",))


def as_atoms(structure):
    return Atoms(
        structure.symbols, positions=structure.positions, cell=structure.cell, pbc=structure.pbc
    )


# ---- the operator ----


def operator_arguments(potential, structure, engine="cpu", **options):
    model, key, text = ops.operands(potential, **options)
    return (
        torch.from_numpy(structure.positions.copy()),
        torch.from_numpy(structure.cell),
        torch.from_numpy(structure.pbc),
        torch.from_numpy(structure.atomic_numbers),
        model,
        key,
        engine,
        text,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_operator_is_the_engine(engine, oxide, binary_structure):
    energy, forces = torch.ops.nnp.energy_forces(
        *operator_arguments(oxide, binary_structure, engine)
    )
    wanted = oxide.evaluate(binary_structure, engine)
    assert float(energy) == pytest.approx(wanted.energy, rel=1e-14)
    np.testing.assert_allclose(forces.numpy(), wanted.forces, rtol=0, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_operator_has_the_forces_as_derivative(engine, oxide):
    arguments = operator_arguments(oxide, structures(("H", "O"))["triclinic"], engine)
    positions = arguments[0].requires_grad_()
    energy, forces = torch.ops.nnp.energy_forces(*arguments)
    (3 * energy).backward()
    assert float(forces.detach().abs().max()) > 1e-3
    torch.testing.assert_close(positions.grad, -3 * forces, rtol=1e-14, atol=0)


def test_operator_refuses_derivatives_it_has_not(oxide):
    arguments = operator_arguments(oxide, structures(("H", "O"))["triclinic"])
    arguments[0].requires_grad_()
    _, forces = torch.ops.nnp.energy_forces(*arguments)
    with pytest.raises(OptionError, match="has no second derivatives"):
        forces.sum().backward()
    arguments[1].requires_grad_()
    with pytest.raises(OptionError, match="no derivative with respect to the cell"):
        torch.ops.nnp.energy_forces(*arguments)


def test_operator_tells_shapes_without_computing(oxide):
    arguments = operator_arguments(oxide, structures(("H", "O"))["triclinic"])
    meta = [a.to("meta") if isinstance(a, torch.Tensor) else a for a in arguments]
    meta[0] = meta[0].to(torch.float32)
    energy, forces = torch.ops.nnp.energy_forces(*meta)
    assert (energy.shape, energy.dtype) == ((), torch.float64)
    assert (forces.shape, forces.dtype) == ((8, 3), torch.float32)


def test_operator_takes_options_and_float32(oxide):
    structure = structures(("H", "O"))["triclinic"]
    energies = []
    for options in ({"dtype": "float32"}, {"dtype": "float64"}):
        arguments = list(operator_arguments(oxide, structure, "cpu", **options))
        arguments[0] = arguments[0].to(torch.float32)
        energy, forces = torch.ops.nnp.energy_forces(*arguments)
        assert (energy.dtype, forces.dtype) == (torch.float64, torch.float32)
        energies.append(float(energy))
    assert energies[0] != energies[1]
    assert energies[0] == pytest.approx(energies[1], abs=1e-4)


def test_operator_reads_a_model_once_and_forgets_the_oldest(oxide, monkeypatch):
    structure = structures(("H", "O"))["dimer"]
    read = []
    original = ops.from_bytes
    monkeypatch.setattr(ops, "from_bytes", lambda *a: read.append(1) or original(*a))
    monkeypatch.setattr(ops, "_WARM_ENGINES", 2)
    first, second, third = (operator_arguments(oxide, structure) for _ in range(3))
    for arguments in (first, first, second, first, third, first, second):
        torch.ops.nnp.energy_forces(*arguments)
    assert len(read) == 4  # first, second, third, and second again


# ---- the exports ----


def load_and_run(path, atoms, dtype=torch.float64):
    module = torch.jit.load(str(path))
    start = nnp.openmm.to_openmm(atoms)
    positions = torch.from_numpy(start.positions_nm).to(dtype)
    box = () if start.box_nm is None else (torch.from_numpy(start.box_nm).to(dtype),)
    for _ in range(3):  # torch compiles at the first calls and may do so wrongly
        energy_kj_mol, forces_kj_mol_nm = module(positions, *box)
    assert forces_kj_mol_nm.dtype == dtype
    forces = forces_kj_mol_nm.numpy() * KJ_PER_MOL / NANOMETRE @ start.rotation.T
    return float(energy_kj_mol) * KJ_PER_MOL, forces


def assert_export_is_right(potential, atoms, path, portable):
    export_torchscript(potential, atoms, path, portable)
    wanted = potential.evaluate(atoms, "reference")
    energy, forces = load_and_run(path, atoms)
    assert energy == pytest.approx(wanted.energy, rel=1e-12)
    scale = max(np.abs(wanted.forces).max(), 0.1)
    np.testing.assert_allclose(forces, wanted.forces, rtol=0, atol=FORCE_RTOL_FLOAT64 * scale)


@pytest.mark.parametrize("portable", [True, False])
@pytest.mark.parametrize("name", FULLY)
def test_exports_give_the_answer_of_evaluate(name, portable, tmp_path):
    potential = random_potential(("Si",), seed=4, families=("radial", "angular_narrow"))
    atoms = as_atoms(structures()[name])
    assert_export_is_right(potential, atoms, tmp_path / "model.pt", portable)


def test_portable_export_knows_elements(tmp_path, oxide):
    atoms = as_atoms(structures(("H", "O"))["triclinic"])
    assert_export_is_right(oxide, atoms, tmp_path / "model.pt", portable=True)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_portable_export_of_every_family(family, tmp_path):
    """torch compiles each anew, which takes its time."""
    potential = random_potential(("Si",), seed=4, families=(family,), cutoff_kinds=list(CutoffKind))
    atoms = as_atoms(structures()["triclinic"])
    assert_export_is_right(potential, atoms, tmp_path / "model.pt", portable=True)


@pytest.mark.parametrize("portable", [True, False])
def test_exports_run_in_torch_force(portable, tmp_path, simple):
    pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    openmmtorch = torch_force.load_openmmtorch()
    for name in ("molecule", "triclinic"):
        atoms = as_atoms(structures(("H", "O"))[name])
        start = nnp.openmm.to_openmm(atoms)
        path = tmp_path / f"{name}.pt"
        export_torchscript(simple, atoms, path, portable)
        force = openmmtorch.TorchForce(str(path))
        force.setOutputsForces(True)
        force.setUsesPeriodicBoundaryConditions(start.box_nm is not None)
        system = openmm.System()
        for mass in start.masses:
            system.addParticle(mass)
        if start.box_nm is not None:
            system.setDefaultPeriodicBoxVectors(*start.box_nm)
        system.addForce(force)
        context = openmm.Context(
            system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("CPU")
        )
        context.setPositions(start.positions_nm)
        wanted = simple.evaluate(atoms)
        for _ in range(3):
            state = context.getState(energy=True, forces=True)
            forces = state.getForces(asNumpy=True)._value * KJ_PER_MOL / NANOMETRE
            np.testing.assert_allclose(forces @ start.rotation.T, wanted.forces, atol=1e-11)
            energy = state.getPotentialEnergy()._value * KJ_PER_MOL
            assert energy == pytest.approx(wanted.energy, rel=1e-12)


_RUN = """
import sys
{first}
import torch
module = torch.jit.load(sys.argv[1])
positions = torch.tensor([[0.0, 0.0, 0.0], [0.09, 0.03, 0.0], [-0.03, 0.09, 0.0]],
                         dtype=torch.float64)
energy, forces = module(positions)
print(repr(float(energy)), "nnp" in sys.modules)
"""


@pytest.mark.parametrize("portable", [True, False])
def test_exports_load_in_another_process(portable, tmp_path, simple):
    path = tmp_path / "model.pt"
    export_torchscript(simple, ["O", "H", "H"], path, portable, periodic=False)

    def run(first):
        code = _RUN.format(first=first)
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("" if portable else "import nnp.ops")
    atoms = Atoms("OH2", [(0, 0, 0), (0.9, 0.3, 0), (-0.3, 0.9, 0)])
    wanted = simple.evaluate(atoms).energy / KJ_PER_MOL
    energy, with_nnp = done.stdout.split()
    assert float(energy) == pytest.approx(wanted, rel=1e-12)
    assert with_nnp == str(not portable)
    if not portable:
        assert "nnp::energy_forces" in run("").stderr


def test_exports_take_single_precision_positions(tmp_path, simple):
    atoms = as_atoms(structures(("H", "O"))["triclinic"])
    wanted = simple.evaluate(atoms)
    for portable in (True, False):
        export_torchscript(simple, atoms, tmp_path / "model.pt", portable, force=True)
        energy, forces = load_and_run(tmp_path / "model.pt", atoms, torch.float32)
        assert energy == pytest.approx(wanted.energy, rel=1e-5)
        np.testing.assert_allclose(forces, wanted.forces, atol=1e-4)


def test_export_refusals(tmp_path, oxide):
    path = tmp_path / "model.pt"
    water = molecule("H2O")
    export_torchscript(oxide, water, path)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="exists: choose another name"):
        export_torchscript(oxide, water, path)
    with pytest.raises(StructureError, match="atom 0 is Si, but the potential knows only H, O"):
        export_torchscript(oxide, bulk("Si"), path, force=True)
    with pytest.raises(OptionError, match="engine='fast' is unknown"):
        export_torchscript(oxide, water, path, engine="fast", force=True)
    with pytest.raises(OptionError, match="portable=True runs no engine, so engine='cpu'"):
        export_torchscript(oxide, water, path, portable=True, engine="cpu", force=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("portable", [True, False])
def test_exports_refuse_what_they_cannot_evaluate(portable, tmp_path, simple):
    export_torchscript(simple, ["H", "H"], tmp_path / "model.pt", portable, periodic=False)
    module = torch.jit.load(str(tmp_path / "model.pt"))
    with pytest.raises(Exception, match="in the same place"):
        module(torch.zeros(2, 3).double())
    with pytest.raises(Exception, match="not finite"):
        module(torch.full((2, 3), torch.nan).double())
    with pytest.raises(Exception, match="positions"):
        module(torch.zeros(3, 3).double())
    export_torchscript(simple, ["H"], tmp_path / "model.pt", portable, periodic=True, force=True)
    module = torch.jit.load(str(tmp_path / "model.pt"))
    with pytest.raises(Exception, match="pass the box"):
        module(torch.zeros(1, 3).double())


# ---- the portable neighbour list ----


def listed(i, j, vectors):
    rounded = [(a, b, *np.round(v, 9) + 0.0) for a, b, v in zip(i, j, vectors, strict=True)]
    return sorted(rounded)


@pytest.mark.parametrize("cutoff", [1.5, 4.5, 11.0])
@pytest.mark.parametrize("name", FULLY)
def test_portable_neighbors_are_vesins(name, cutoff):
    structure = structures()[name]
    compare_neighbors(structure, cutoff)


@pytest.mark.parametrize("seed", range(4))
def test_portable_neighbors_in_random_cells(seed):
    compare_neighbors(random_structure(("Si",), 60, seed), 5.0)


def test_portable_neighbors_of_atoms_far_apart():
    positions = np.array([(0, 0, 0), (1.0, 0, 0), (1e6, 0, -1e6), (1e6, 1.0, -1e6), (-3e5, 2e6, 7)])
    compare_neighbors(nnp.Structure(positions, [14] * 5, np.zeros((3, 3)), False), 2.0)


def compare_neighbors(structure, cutoff):
    wanted = neighbor_list(structure, cutoff)
    positions, cell = torch.from_numpy(structure.positions), torch.from_numpy(structure.cell)
    around = images(positions, cell, bool(structure.pbc.all()), cutoff)
    sorted_ = bins(around, cutoff)
    found = []
    half = len(structure) // 2
    for begin, end in ((0, half), (half, len(structure))):
        i, j, vectors = pairs(around, sorted_, begin, end, cutoff)
        assert (i.diff() >= 0).all()
        found += listed(i.tolist(), j.tolist(), vectors.numpy())
    assert sorted(found) == listed(wanted.i, wanted.j, wanted.vectors)


def test_portable_model_in_blocks_is_the_same(monkeypatch, oxide):
    structure = random_structure(("H", "O"), 40, 3)
    elements = torch.from_numpy(oxide.element_indices(structure))
    model = PortableModel(oxide, elements)
    arguments = (torch.from_numpy(structure.positions), torch.from_numpy(structure.cell), True)
    energy, forces = model(*arguments)
    blocks = []

    def small(sorted_, widest):
        blocks.extend(block_ends(sorted_, widest, elements=4000.0))
        return blocks

    monkeypatch.setattr("nnp.torchscript.block_ends", small)
    energy_in_blocks, forces_in_blocks = model(*arguments)
    assert 3 < len(blocks) <= 40
    assert blocks[-1] == 40
    torch.testing.assert_close(energy, energy_in_blocks, rtol=1e-13, atol=0)
    torch.testing.assert_close(forces, forces_in_blocks, rtol=0, atol=1e-13)
