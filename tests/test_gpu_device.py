"""What a machine with a GPU has to show: results, repetition, arrays, graphs, memory.

    pytest -m gpu tests/test_gpu_device.py

CI has none, and they skip. ``NNP_GPU_ENGINE=opencl`` runs what is not CUDA's on an OpenCL device,
on PoCL in minutes per potential: the tests themselves can be tried so.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk

from nnp.errors import StructureError, UnavailableError
from nnp.structure import as_structure
from nnp.testing import (
    ENERGY_PER_ATOM_FLOAT32,
    assert_engines_agree,
    random_potential,
    random_structure,
    structures,
)

pytest.importorskip("torch", reason="the reference engine needs torch")
pytestmark = pytest.mark.gpu

NAME = os.environ.get("NNP_GPU_ENGINE", "gpu")
DTYPES = ("float64", "float32", "single")
# By symmetry its forces are zero and its stress is the rest of a cancellation of 1e3: no measure
# of float32.
SYMMETRIC = "crystal"


@pytest.fixture(scope="module", autouse=True)
def there_is_a_gpu():
    try:
        random_potential(("Si",), 1, ("radial",)).make_engine(NAME)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def water():
    return random_potential(("H", "O"), 12, ("radial", "angular_narrow"), radius=3.5)


@pytest.fixture
def box():
    return random_structure(("H", "O"), 60, 12)


def cuda_only():
    if NAME != "gpu":
        pytest.skip("of CUDA only")


@pytest.fixture
def cupy():
    cuda_only()
    return pytest.importorskip("cupy")


@pytest.fixture
def cuda():
    """torch with CUDA."""
    cuda_only()
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA: install its CUDA build")
    return torch


# ---- results -----------------------------------------------------------------------------------


def assert_single_agrees(potential, structure):
    """Everything in float32: coarser than float32 with float64 sums, by the lengths of the sums."""
    wanted = potential.evaluate(structure, "reference")
    got = potential.evaluate(structure, NAME, dtype="single")
    rms = max(np.sqrt(np.mean(wanted.forces**2)), 1e-3)
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=0, atol=2e-4 * rms)
    tolerance = 5 * ENERGY_PER_ATOM_FLOAT32
    np.testing.assert_allclose(got.energies, wanted.energies, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("elements", [("Si",), ("H", "O")], ids="-".join)
@pytest.mark.parametrize("name", sorted(structures()))
def test_every_structure(request, name, elements, dtype):
    potential = request.getfixturevalue("silicon" if len(elements) == 1 else "binary")
    structure = structures(elements)[name]
    if dtype != "float64" and name == SYMMETRIC:
        pytest.skip("its forces are zero by symmetry: no measure of float32")
    if len(structure) == 0:
        with pytest.raises(StructureError, match="no atoms"):
            potential.evaluate(structure, NAME, dtype=dtype)
    elif dtype == "single":
        assert_single_agrees(potential, structure)
    else:
        assert_engines_agree(potential, structure, NAME, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_every_time(water, box, dtype):
    """Whatever ran before, with a fresh list or an old one, in any engine."""
    engine = water.make_engine(NAME, dtype=dtype)
    first = engine.compute(box, True, True)
    for number in range(20):
        shift = 0.02 * np.random.default_rng(number).normal(size=box.positions.shape)
        engine.compute(replace(box, positions=box.positions + shift), True, True)
        other = engine if number % 4 else water.make_engine(NAME, dtype=dtype)
        again = other.compute(box, True, True)
        assert again.energy == first.energy
        for part in ("energies", "forces", "stress"):
            assert (getattr(again, part) == getattr(first, part)).all()
    # fixed point: what one atom gets another one loses
    assert np.abs(first.forces.sum(axis=0)).max() < 1e-10


def test_jacobian_vector_products(water, box):
    """One the transpose of the other."""
    engine = water.make_engine(NAME)
    rng = np.random.default_rng(4)
    direction = rng.normal(size=box.positions.shape)
    change = engine.descriptor_jvp(box, direction)
    weights = rng.normal(size=change.shape)
    gradient, _ = engine.descriptor_vjp(box, weights)
    np.testing.assert_allclose(np.vdot(gradient, direction), weights @ change, rtol=1e-10)


def test_auto_is_the_gpu(water):
    cuda_only()
    assert water.make_engine("auto").name == "gpu"


# ---- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", ["float32", "float64"])
def test_cupy_arrays(cupy, water, box, real):
    engine = water.make_engine(NAME)
    positions = cupy.asarray(box.positions, real)
    rest = [cupy.asarray(value) for value in (box.atomic_numbers, box.cell, box.pbc)]
    ready = cupy.cuda.get_current_stream().record()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.wait_event(ready)
        found = engine.compute_arrays(positions, *rest, stress=True)
        stream.synchronize()
    wanted = engine.compute(replace(box, positions=positions.get().astype(float)), True, True)
    assert isinstance(found.forces, cupy.ndarray)
    assert found.forces.dtype == real
    assert float(found.energy) == wanted.energy
    np.testing.assert_array_equal(found.forces.get(), wanted.forces.astype(real))
    np.testing.assert_allclose(found.stress.get(), wanted.stress, rtol=1e-13)


@pytest.mark.parametrize("real", ["float32", "float64"])
def test_torch_tensors_and_their_operator(cuda, water, box, real):
    import nnp.ops

    positions = cuda.tensor(box.positions, dtype=getattr(cuda, real), device="cuda")
    rest = [cuda.tensor(v, device="cuda") for v in (box.atomic_numbers, box.cell, box.pbc)]
    engine = water.make_engine(NAME)
    stream = cuda.cuda.Stream()
    stream.wait_stream(cuda.cuda.current_stream())
    with cuda.cuda.stream(stream):
        found = engine.compute_arrays(positions, *rest)
    stream.synchronize()
    wanted = engine.compute(replace(box, positions=positions.cpu().numpy().astype(float)))
    assert found.forces.is_cuda
    np.testing.assert_array_equal(found.forces.cpu().numpy(), wanted.forces.astype(real))
    model, key, options = nnp.ops.operands(water)
    positions.requires_grad_()
    numbers, cell, pbc = rest
    energy, forces = cuda.ops.nnp.energy_forces(
        positions, cell, pbc, numbers, model, key, "gpu", options
    )
    assert float(energy) == wanted.energy
    energy.backward()
    assert cuda.equal(positions.grad, -forces)
    assert cuda.equal(forces, found.forces)


def test_derivatives_of_functions_by_torch(cuda, water, box):
    """A force loss through operators whose tensors stay on the GPU, on a stream of the caller."""
    from nnp.descriptor_ops import SymmetryFunctions

    def gradients(device, engine):
        symmetry = SymmetryFunctions(water, engine)
        positions = cuda.tensor(box.positions, device=device, requires_grad=True)
        rest = [cuda.tensor(v, device=device) for v in (box.atomic_numbers, box.cell, box.pbc)]
        values = symmetry(positions, *rest)
        weights = cuda.linspace(-1, 1, len(values), dtype=cuda.float64, device=device)
        weights.requires_grad_()
        energy = (cuda.tanh(values) * weights).sum()
        (slope,) = cuda.autograd.grad(energy, positions, create_graph=True)
        found = cuda.autograd.grad((slope**2).sum(), (weights, positions))
        assert {t.device.type for t in (values, slope, *found)} == {device}
        return [t.detach().cpu().numpy() for t in (values, slope, *found)]

    stream = cuda.cuda.Stream()
    with cuda.cuda.stream(stream):
        found = gradients("cuda", NAME)
    for a, b, tolerance in zip(found, gradients("cpu", "cpu"), [1e-10] * 3 + [1e-6], strict=True):
        assert np.abs(b).max() > 1e-3
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def test_products_of_cupy_arrays(cupy, water, box):
    engine, cpu, rng = water.make_engine(NAME), water.make_engine("cpu"), np.random.default_rng(1)
    atoms = [cupy.asarray(v) for v in (box.positions, box.atomic_numbers, box.cell, box.pbc)]
    flat = np.concatenate(cpu.descriptors(box))
    weights, direction = rng.normal(size=len(flat)), rng.normal(size=(len(box), 3))
    strain = rng.normal(size=(3, 3)) / 10
    found = [engine.descriptors_arrays(*atoms)]
    found += engine.descriptor_vjp_arrays(*atoms, cupy.asarray(weights), strain=True)
    found += [engine.descriptor_jvp_arrays(*atoms, cupy.asarray(direction), cupy.asarray(strain))]
    wanted = [flat, *cpu.descriptor_vjp(box, weights, strain=True)]
    wanted += [cpu.descriptor_jvp(box, direction, strain)]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.get(), b, rtol=0, atol=1e-10 * np.abs(b).max())


# ---- graphs ------------------------------------------------------------------------------------


def test_cupy_graph(cupy, water, box):
    engine = water.make_engine(NAME)
    positions = cupy.asarray(box.positions)
    near = box.positions + 0.05
    far = box.positions + np.where(np.arange(len(box)) < 3, 0.5, 0)[:, None]
    ready = cupy.cuda.get_current_stream().record()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.wait_event(ready)
        step = engine.capture(positions, box.atomic_numbers, box.cell, box.pbc, stress=True)
        stream.begin_capture()
        step()
        graph = stream.end_capture()
        for there, holds in ((near, True), (box.positions, True), (far, False)):
            positions.set(there)
            graph.launch(stream)
            assert step.holds() == holds
            assert np.isfinite(step.forces.get()).all() == holds
            if not holds:
                step.renew()
            wanted = water.evaluate(replace(box, positions=there), NAME, stress=True)
            np.testing.assert_array_equal(step.forces.get(), wanted.forces)


def test_torch_graph(cuda, water, box):
    engine = water.make_engine(NAME)
    positions = cuda.tensor(box.positions, device="cuda")
    step = engine.capture(positions, box.atomic_numbers, box.cell, box.pbc)
    cuda.cuda.synchronize()
    graph = cuda.cuda.CUDAGraph()
    with cuda.cuda.graph(graph):
        step()
    near = box.positions + 0.05
    positions.copy_(cuda.tensor(near))
    graph.replay()
    assert step.holds()
    wanted = water.evaluate(replace(box, positions=near), NAME)
    np.testing.assert_array_equal(step.forces.cpu().numpy(), wanted.forces)


# ---- size --------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", [10, 50], ids=["8e3", "1e6"])
def test_a_million_atoms(edge):
    """A crystal repeated: the same forces in every cell; bytes per atom as the page says."""
    if edge > 10:
        cuda_only()  # a million atoms take a CPU too long
    potential = random_potential(("Si",), 16, ("radial", "angular_narrow"), radius=4.0)
    unit = bulk("Si", cubic=True) * (2, 2, 2)
    unit.rattle(0.1, seed=1)
    times = edge // 2
    crystal = as_structure(unit * (times, times, times))
    engine = potential.make_engine(NAME, dtype="single")
    found = engine.compute(crystal, True, True)
    small = potential.evaluate(as_structure(unit), "cpu", stress=True)
    rms = np.sqrt(np.mean(small.forces**2))
    copies = found.forces.reshape(-1, len(unit), 3)
    assert np.abs(copies - small.forces).max() < 1e-3 * rms
    assert abs(found.energy / len(crystal) - small.energy / len(unit)) < 1e-6
    if NAME == "gpu":
        import cupy

        assert cupy.get_default_memory_pool().used_bytes() / len(crystal) < 2000
