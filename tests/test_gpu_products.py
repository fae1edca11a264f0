"""Derivatives of the symmetry functions in arrays that stay on the device, and torch's operators
over them: values on PoCL through PyOpenCL, calls on a fake CuPy."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import fake_cupy
import numpy as np
import pytest
from gpu_potentials import uneven

from nnp.engines import auto
from nnp.engines.flatten import flatten
from nnp.engines.gpu.library import Generator
from nnp.errors import OptionError, UnavailableError
from nnp.testing import random_structure

torch = pytest.importorskip("torch", reason="the operators are torch's")
descriptor_ops = pytest.importorskip("nnp.descriptor_ops")


@pytest.fixture(scope="module")
def potential():
    return uneven()


@pytest.fixture(scope="module")
def box():
    return random_structure(("H", "O"), 20, 12)


# ---- values, on PoCL ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(potential):
    pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    try:
        engine = potential.make_engine("opencl", skin=0.5)
    except UnavailableError as error:
        pytest.skip(str(error))
    return engine


@pytest.fixture(scope="module")
def put(engine):
    import pyopencl.array as cla

    return lambda values: cla.to_device(engine.device.queue, np.ascontiguousarray(values))


@pytest.fixture(scope="module")
def cpu(potential):
    return potential.make_engine("cpu")


def arrays(put, box, whole=True, real=np.float64):
    rest = (box.atomic_numbers, box.cell, box.pbc.astype(np.uint8))
    return [put(box.positions.astype(real)), *(map(put, rest) if whole else rest)]


@pytest.fixture(scope="module")
def directions(box, cpu):
    """Weights of functions, displacement, strain."""
    rng = np.random.default_rng(8)
    total = sum(map(len, cpu.descriptors(box)))
    return rng.normal(size=total), rng.normal(size=(len(box), 3)), rng.normal(size=(3, 3)) / 10


def close(found, wanted, tolerance=1e-11):
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def test_flat_vectors_are_not_rows(potential, cpu, box):
    """The control: elements have different numbers of functions, kernels another order."""
    assert len(set(map(len, cpu.descriptors(box)))) == 2
    order = Generator(flatten(potential)).order(1)
    assert (order != np.argsort(order)).any()


@pytest.mark.parametrize("whole", [False, True])
def test_descriptors(engine, cpu, put, box, whole):
    found = engine.descriptors_arrays(*arrays(put, box, whole))
    assert type(found) is type(put([1.0]))
    close(found.get(), np.concatenate(cpu.descriptors(box)))
    np.testing.assert_array_equal(found.get(), np.concatenate(engine.descriptors(box)))


@pytest.mark.parametrize("there", [False, True])
def test_vector_jacobian_product(engine, cpu, put, box, directions, there):
    weights = put(directions[0]) if there else directions[0]
    found, by_strain = engine.descriptor_vjp_arrays(*arrays(put, box), weights, strain=True)
    wanted, wanted_strain = cpu.descriptor_vjp(box, directions[0], strain=True)
    close(found.get(), wanted)
    close(by_strain.get(), wanted_strain)
    again, nothing = engine.descriptor_vjp_arrays(*arrays(put, box), weights)
    np.testing.assert_array_equal(again.get(), engine.descriptor_vjp(box, directions[0])[0])
    assert nothing is None


@pytest.mark.parametrize("there", [False, True])
def test_jacobian_vector_product(engine, cpu, put, box, directions, there):
    _, displacement, strain = directions
    for given in ((displacement, None), (None, strain), (displacement, strain)):
        along = [put(v) if there and v is not None else v for v in given]
        found = engine.descriptor_jvp_arrays(*arrays(put, box), *along)
        close(found.get(), cpu.descriptor_jvp(box, *given))
        np.testing.assert_array_equal(found.get(), engine.descriptor_jvp(box, *given))


def test_float32_in_float32_out(engine, cpu, put, box, directions):
    arguments = arrays(put, box, real=np.float32)
    weights = put(directions[0].astype(np.float32))
    found, by_strain = engine.descriptor_vjp_arrays(*arguments, weights, strain=True)
    assert (found.dtype, by_strain.dtype) == (np.float32, np.float64)
    close(found.get(), cpu.descriptor_vjp(box, directions[0])[0], 1e-5)
    change = engine.descriptor_jvp_arrays(*arguments, put(directions[1].astype(np.float32)))
    assert change.dtype == np.float64
    close(change.get(), cpu.descriptor_jvp(box, directions[1]), 1e-5)


def test_other_atoms_are_noticed(engine, cpu, put, box, directions):
    """Elements that only the device knows: functions of other atoms, in other places."""
    swapped = replace(box, atomic_numbers=box.atomic_numbers[::-1].copy())
    assert (swapped.atomic_numbers != box.atomic_numbers).any()
    more = replace(box, atomic_numbers=np.where(np.arange(20) < 15, 8, box.atomic_numbers))
    for other in (swapped, more, random_structure(("H", "O"), 11, 13)):
        engine.compute(box)
        wanted = np.concatenate(cpu.descriptors(other))
        close(engine.descriptors_arrays(*arrays(put, other)).get(), wanted)
        engine.compute(box)
        weights = np.linspace(-1, 1, len(wanted))
        found, _ = engine.descriptor_vjp_arrays(*arrays(put, other), put(weights))
        close(found.get(), cpu.descriptor_vjp(other, weights)[0])
        engine.compute(box)
        direction = np.linspace(-1, 1, 3 * len(other)) ** 3
        found = engine.descriptor_jvp_arrays(*arrays(put, other), put(direction))
        close(found.get(), cpu.descriptor_jvp(other, direction))
    # as many functions as the list's atoms have, not as many as these
    assert len(directions[0]) != sum(map(len, cpu.descriptors(more)))
    engine.compute(box)
    with pytest.raises(OptionError, match=r"dl_dg has \d+ numbers: this structure takes \d+"):
        engine.descriptor_vjp_arrays(*arrays(put, more), put(directions[0]))


def test_the_host_reads_one_flag(engine, put, box, directions, monkeypatch):
    arguments, given = arrays(put, box), [put(v) for v in directions]
    calls = (
        lambda: engine.descriptors_arrays(*arguments),
        lambda: engine.descriptor_vjp_arrays(*arguments, given[0], strain=True),
        lambda: engine.descriptor_jvp_arrays(*arguments, *given[1:]),
    )
    for call in calls:
        call()
        sizes, written, device = [], [], engine.device
        read = device.read
        with monkeypatch.context() as patch:
            patch.setattr(device, "read", lambda *a, r=read, s=sizes: (s.append(a[2]), r(*a))[1])
            patch.setattr(device, "write", lambda *a, w=written: w.append(a))
            call()
        assert sizes == [16]
        assert written == []


def test_arrays_of_the_host(engine, box, directions):
    """NumPy and torch in, the same out."""
    rest = (box.atomic_numbers, box.cell, box.pbc)
    wanted, wanted_strain = engine.descriptor_vjp(box, directions[0], strain=True)
    found, by_strain = engine.descriptor_vjp_arrays(box.positions, *rest, directions[0], True)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(by_strain, wanted_strain)
    positions = torch.tensor(box.positions, dtype=torch.float32)
    weights = torch.tensor(directions[0])
    found, nothing = engine.descriptor_vjp_arrays(positions, *rest, weights)
    assert (found.dtype, nothing) == (torch.float32, None)
    close(found.numpy(), wanted, 1e-5)
    change = engine.descriptor_jvp_arrays(torch.tensor(box.positions), *rest, None, directions[2])
    np.testing.assert_array_equal(change, engine.descriptor_jvp(box, None, directions[2]))
    flat = engine.descriptors_arrays(torch.tensor(box.positions), *rest)
    np.testing.assert_array_equal(flat, np.concatenate(engine.descriptors(box)))


def test_refusals(engine, put, box):
    arguments = arrays(put, box)
    with pytest.raises(OptionError, match="dl_dg has 4 numbers: this structure takes"):
        engine.descriptor_vjp_arrays(*arguments, put(np.ones(4)))
    with pytest.raises(OptionError, match="displacement has 4 numbers: this structure takes 60"):
        engine.descriptor_jvp_arrays(*arguments, put(np.ones(4)))
    with pytest.raises(OptionError, match="strain has 6 numbers: this structure takes 9"):
        engine.descriptor_jvp_arrays(*arguments, None, np.ones(6))


# ---- torch's operators -------------------------------------------------------------------------


class OnTheDevice:
    """The engine on PoCL behind torch tensors of the host, as the CUDA engine takes tensors."""

    def __init__(self, engine, put):
        self._engine, self._put, self.takes = engine, put, torch.is_tensor

    def __getattr__(self, name):
        def call(*tensors):
            found = getattr(self._engine, name)(*(self._put(t.numpy()) for t in tensors))
            if isinstance(found, tuple):
                return torch.from_numpy(found[0].get()), None
            return torch.from_numpy(found.get())

        return call


def test_derivatives_by_the_operators(engine, put, potential):
    """Once and twice, against differences: that the operators ask for the right products."""
    symmetry = descriptor_ops.SymmetryFunctions(potential)
    symmetry._engine = OnTheDevice(engine, put)
    small = random_structure(("H", "O"), 4, 5, density=0.03)
    positions = torch.tensor(small.positions, requires_grad=True)
    rest = [torch.tensor(v) for v in (small.atomic_numbers, small.cell, small.pbc)]
    assert float(symmetry(positions, *rest).detach().abs().max()) > 0.1
    torch.autograd.gradcheck(lambda r: symmetry(r, *rest), positions, eps=1e-5)
    torch.autograd.gradgradcheck(lambda r: symmetry(r, *rest), positions, eps=1e-5, atol=1e-4)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: SimpleNamespace(cuda_stream=77))
    with fake_cupy.installed(monkeypatch) as module:
        yield module


def tensors(box):
    values = (box.positions, box.atomic_numbers, box.cell, box.pbc)
    return tuple(fake_cupy.tensor(v) for v in values)


def test_tensors_stay_where_they_are(fake, potential, box):
    symmetry = descriptor_ops.SymmetryFunctions(potential, "gpu", dtype="single")
    total = symmetry.values(tensors(box)).numel()
    weights = fake_cupy.tensor(np.ones(total))
    direction = fake_cupy.tensor(np.ones((20, 3)))
    symmetry.push_forward(tensors(box), direction)
    for call, kernel in (
        (lambda: symmetry.values(tensors(box)), "nnp_flatten"),
        (lambda: symmetry.pull_back(tensors(box), weights), "nnp_give_gradient"),
        (lambda: symmetry.push_forward(tensors(box), direction), "nnp_change_e1"),
    ):
        fake.log.clear()
        found = call()
        assert isinstance(found, torch.Tensor)
        assert found.dtype == torch.float64
        assert kernel in fake.launches()
        assert {entry[2] for entry in fake.log if entry[0] == "launch"} == {77}
        assert [entry[1] for entry in fake.log if entry[0] == "get"] == [16]
        kinds = {entry[0] for entry in fake.log}
        assert kinds <= {"launch", "get", "set", "empty", "alloc", "wait"}


def test_other_engines_are_asked_on_the_host(fake, potential, cpu, box):
    symmetry = descriptor_ops.SymmetryFunctions(potential)
    found = symmetry.values(tensors(box))
    assert fake.launches() == []
    np.testing.assert_array_equal(found.numpy(), np.concatenate(cpu.descriptors(box)))


def test_auto_changes_over(fake, potential, cpu, box):
    auto._told.clear()
    symmetry = descriptor_ops.SymmetryFunctions(potential, "auto")
    fake.memory_error = fake_cupy.OutOfMemoryError("Out of memory allocating 96 bytes")
    with pytest.warns(RuntimeWarning, match="engine='auto' takes engine='cpu': .*MB left"):
        found = symmetry.values(tensors(box))
    np.testing.assert_array_equal(found.numpy(), np.concatenate(cpu.descriptors(box)))
    again = symmetry.values(tensors(box))
    np.testing.assert_array_equal(again.numpy(), found.numpy())


def test_engines_without_products(potential):
    with pytest.raises(OptionError, match="engine='reference' has no products"):
        descriptor_ops.SymmetryFunctions(potential, "reference")
