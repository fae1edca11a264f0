"""``nnp::energy_forces`` for CUDA, where there is none: registration, shapes, and the way to the
engine on a fake CuPy. tests/test_gpu_device.py runs it on a GPU."""

from __future__ import annotations

from types import SimpleNamespace

import fake_cupy
import numpy as np
import pytest

from nnp.engines import auto
from nnp.errors import StructureError, UnavailableError
from nnp.structure import Structure

torch = pytest.importorskip("torch")
ops = pytest.importorskip("nnp.ops")

BOX = Structure(np.random.default_rng(3).uniform(0, 8, (6, 3)), [14] * 6, np.eye(3) * 8, True)
ARGUMENTS = (BOX.positions, BOX.cell, BOX.pbc, BOX.atomic_numbers)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: SimpleNamespace(cuda_stream=77))
    with fake_cupy.installed(monkeypatch) as module:
        yield module


class Heard:
    def __init__(self):
        self.evaluations, self.errors = [], []

    def record(self, evaluation):
        self.evaluations.append(evaluation)

    def record_error(self, error):
        self.errors.append(error)


def call(operands, engine, positions=BOX.positions, heard=None):
    """What torch calls for tensors of CUDA."""
    model, key, options = operands
    if heard is not None:
        ops.listen(key, heard)
    tensors = [fake_cupy.tensor(a) for a in (positions, *ARGUMENTS[1:])]
    return ops._energy_forces_cuda(*tensors, model, key, engine, options)


@pytest.mark.parametrize("key", ["CPU", "CUDA", "Meta", "AutogradCUDA"])
def test_one_name_for_all_devices(key):
    assert torch._C._dispatch_has_computed_kernel_for_dispatch_key("nnp::energy_forces", key)


def test_cuda_has_its_own():
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    assert has("nnp::energy_forces", "CUDA")
    assert not has("nnp::energy_forces", "CPU")  # the host's is the one of all other devices


def test_shapes_and_devices(silicon):
    """What torch.compile sees: results lie where the positions do."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    operands = ops.operands(silicon)
    with FakeTensorMode(allow_non_fake_inputs=True):
        tensors = [torch.empty(a.shape, dtype=torch.float32, device="cuda") for a in ARGUMENTS]
        found = torch.ops.nnp.energy_forces(*tensors, operands[0], operands[1], "gpu", "{}")
    energy, forces = found
    assert (energy.dtype, energy.shape, energy.device.type) == (torch.float64, (), "cuda")
    assert (forces.dtype, forces.shape, forces.device.type) == (torch.float32, (6, 3), "cuda")


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_tensors_stay_where_they_are(fake, silicon, real):
    operands, heard = ops.operands(silicon, dtype="single"), Heard()
    call(operands, "gpu")
    fake.log.clear()
    energy, forces = call(operands, "gpu", BOX.positions.astype(real), heard)
    assert forces.dtype == getattr(torch, np.dtype(real).name)
    assert (energy.dtype, energy.shape) == (torch.float64, ())
    assert "nnp_give" in fake.launches()
    assert {entry[2] for entry in fake.log if entry[0] == "launch"} == {77}
    kinds = {entry[0] for entry in fake.log}
    assert kinds <= {"launch", "get", "wait"}  # results are torch's: nothing of CuPy's is new
    assert [entry[1] for entry in fake.log if entry[0] == "get"] == [16]
    assert heard.evaluations[0].energy is energy


def test_half_precision_goes_through_double(fake, silicon):
    _, forces = call(ops.operands(silicon), "gpu", BOX.positions.astype(np.float16))
    assert forces.dtype == torch.float16
    assert "nnp_give" in fake.launches()


def test_other_engines_are_asked_on_the_host(fake, silicon):
    energy, forces = call(ops.operands(silicon), "cpu")
    wanted = silicon.evaluate(BOX, "cpu")
    assert fake.launches() == []
    assert float(energy) == wanted.energy
    assert (fake_cupy.plain(forces).numpy() == wanted.forces).all()


def test_auto_changes_over(fake, silicon):
    operands, heard = ops.operands(silicon), Heard()
    auto._told.clear()
    call(operands, "auto")
    fake.memory_error = fake_cupy.OutOfMemoryError("Out of memory allocating 96 bytes")
    numbers = np.tile(BOX.positions, (2, 1)) + np.repeat([[0.0], [1.0]], 6, 0)
    big = Structure(numbers, [14] * 12, BOX.cell, True)
    tensors = [fake_cupy.tensor(a) for a in (big.positions, big.cell, big.pbc, big.atomic_numbers)]
    model, key, options = operands
    ops.listen(key, heard)
    with pytest.warns(RuntimeWarning, match="engine='auto' takes engine='cpu': .*MB left"):
        energy, _ = ops._energy_forces_cuda(*tensors, model, key, "auto", options)
    assert float(energy) == silicon.evaluate(big, "cpu").energy
    assert heard.errors == []
    assert len(heard.evaluations) == 1


def test_errors_are_told(fake, silicon):
    operands, heard = ops.operands(silicon), Heard()
    fake.count = 0
    with pytest.raises(UnavailableError, match="no NVIDIA GPU"):
        call(operands, "gpu", heard=heard)
    fake.count = 1
    broken = BOX.positions.copy()
    broken[2, 0] = np.nan
    fake.report = (1, 1, 0, 0)  # what the kernels would say: no list holds, an atom is lost
    with pytest.raises(StructureError, match="position of atom 2"):
        call(operands, "gpu", broken, heard)
    assert [type(error) for error in heard.errors] == [UnavailableError, StructureError]
