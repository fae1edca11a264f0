"""What the GPU engines say where they cannot run; the generator's answers to bad arguments."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from nnp.engines import DEFAULT_ENGINE, _library
from nnp.engines.flatten import FlatPotential, flatten
from nnp.engines.gpu import library
from nnp.engines.gpu.library import Generator, SourceOptions
from nnp.errors import OptionError, UnavailableError


@pytest.fixture
def generator(binary):
    try:
        return Generator(flatten(binary))
    except UnavailableError as error:
        pytest.skip(str(error))


def test_no_gpu(silicon):
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        if cupy.cuda.runtime.getDeviceCount():
            pytest.skip("there is a GPU")
    except cupy.cuda.runtime.CUDARuntimeError:
        pass
    with pytest.raises(
        UnavailableError, match=r"engine='gpu' finds no .*driver.*nvidia-smi, or use engine='cpu'"
    ):
        silicon.engine("gpu")


def test_what_is_used_of_cupy_exists():
    """Names that only run on a GPU, looked up where there is none; fake_cupy.py has the same."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert issubclass(cupy.cuda.compiler.CompileException, Exception)
    assert issubclass(cupy.cuda.driver.CUDADriverError, Exception)
    assert issubclass(cupy.cuda.memory.OutOfMemoryError, Exception)
    for name in ("compile", "get_function"):
        assert callable(getattr(cupy.RawModule, name))
    stream = cupy.cuda.Stream
    assert hasattr(stream, "from_external") or callable(cupy.cuda.ExternalStream)
    for name in (
        "is_capturing", "record", "wait_event", "begin_capture", "end_capture", "synchronize",
    ):  # fmt: skip
        assert callable(getattr(stream, name))
    for name in ("empty", "asarray", "ascontiguousarray", "from_dlpack", "ndarray"):
        assert callable(getattr(cupy, name))
    assert callable(cupy.cuda.alloc)
    assert callable(cupy.cuda.runtime.memcpyAsync)
    assert hasattr(cupy.cuda.MemoryPointer, "ptr")
    assert hasattr(cupy.ndarray, "data")
    assert callable(cupy.cuda.get_current_stream)
    assert len(cupy.cuda.nvrtc.getVersion()) == 2
    runtime = cupy.cuda.runtime
    assert runtime.runtimeGetVersion() > 11000
    assert runtime.driverGetVersion() >= 0
    assert callable(runtime.getDeviceProperties)


def test_no_cupy(silicon, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(UnavailableError, match=r"engine='gpu' needs CuPy.*\[cuda13\]'"):
        silicon.engine("gpu")


def test_no_pyopencl(silicon, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyopencl", None)
    monkeypatch.delitem(sys.modules, "nnp.engines.gpu.device_opencl", raising=False)
    with pytest.raises(UnavailableError, match="engine='opencl' needs pyopencl"):
        silicon.engine("opencl")


@pytest.fixture
def opencl():
    pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    from nnp.engines.gpu import device_opencl

    return device_opencl


@pytest.fixture
def opencl_device(opencl):
    try:
        return opencl.OpenCLDevice(0)
    except UnavailableError as error:
        pytest.skip(str(error))


def test_opencl_without_devices(silicon, opencl, monkeypatch):
    monkeypatch.setattr(opencl, "devices", list)
    with pytest.raises(UnavailableError, match=r"finds no OpenCL device: install .*engine='cpu'"):
        silicon.engine("opencl")


@pytest.mark.parametrize(
    ("extensions", "missing"),
    [("cl_khr_int64_base_atomics", "float64"), ("cl_khr_fp64", "64-bit atomics")],
)
@pytest.mark.parametrize("dtype", ["float64", "single"])
def test_opencl_without_what_is_needed(silicon, opencl, monkeypatch, extensions, missing, dtype):
    device = SimpleNamespace(name=" Small GPU ", extensions=extensions)
    queue = SimpleNamespace(device=device, context=None)
    monkeypatch.setattr(opencl, "_new_queue", lambda _: queue)
    sentence = f"OpenCL device Small GPU has no {missing}, which every dtype needs: choose another"
    with pytest.raises(UnavailableError, match=sentence):
        silicon.make_engine("opencl", dtype=dtype)


def test_opencl_no_such_device(silicon, opencl, opencl_device):
    del opencl_device  # there is one
    last = len(opencl.devices()) - 1
    with pytest.raises(OptionError, match=f"device=99: devices are 0 to {last}"):
        silicon.make_engine("opencl", device=99)


def test_opencl_does_not_compile(opencl_device):
    with pytest.raises(
        UnavailableError,
        match=r"rejects the kernels \(error: .*KERNEL.*\): update the driver",
    ):
        opencl_device.compile("KERNEL nonsense", "single")


def test_opencl_no_memory(opencl_device):
    with pytest.raises(
        UnavailableError, match=r"has no 1125899907 MB left .*: evaluate fewer atoms"
    ):
        opencl_device.empty(2**47, np.float64)


def test_unknown_option(silicon):
    with pytest.raises(OptionError, match="'gpu' has no option 'threads': it takes dtype, skin"):
        silicon.engine("gpu", threads=2)


def test_auto_is_no_gpu_engine():
    assert DEFAULT_ENGINE not in {"gpu", "opencl"}


def test_missing_library(monkeypatch, tmp_path, silicon):
    _library.load_library.cache_clear()
    monkeypatch.setenv("NNP_LIBRARY", str(tmp_path / "nothing.so"))
    with pytest.raises(UnavailableError, match="'gpu' and 'opencl' need the package's"):
        Generator(flatten(silicon))
    monkeypatch.undo()
    _library.load_library.cache_clear()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((3, 0, 64, 64), "precision is 3: allowed are 0 \\(single\\)"),
        ((0, 7, 64, 64), "dialect is 7"),
        ((0, 0, 48, 64), "group_size is 48: allowed are the powers of two"),
        ((0, 0, 64, 63), "capacity is 63: allowed are even numbers from 2"),
    ],
)
def test_bad_source_options(generator, options, message):
    with pytest.raises(OptionError, match=message):
        generator.source(SourceOptions(*options))


def test_bad_element(generator):
    with pytest.raises(OptionError, match="element is 2: the potential has 2"):
        generator.parameters(2)


@pytest.mark.usefixtures("generator")
def test_broken_arrays(binary):
    flat = flatten(binary)
    with pytest.raises(OptionError, match="integers end before"):
        Generator(FlatPotential(flat.integers[:7], flat.reals)).order(0)


def test_the_order_is_one(generator, binary):
    for element, model in enumerate(binary.models):
        order = generator.order(element)
        assert sorted(order) == list(range(len(model.functions)))
        sizes = model.network.sizes
        weights = sum(a * b + b for a, b in pairwise(sizes))
        parameters = generator.parameters(element)
        assert len(parameters) == 6 * len(order) + weights
        np.testing.assert_array_equal(parameters[: len(order)], model.scaling.factor[order])


@pytest.mark.parametrize("program", library.PROGRAMS)
@pytest.mark.parametrize("dialect", [0, 1, 2])
def test_the_source_repeats(generator, dialect, program):
    options = SourceOptions(1, dialect, 64, 128)
    source = generator.source(options, program)
    assert source == generator.source(options, program)
    assert ("__global__" in source) == (dialect == 0)
    assert ("__kernel" in source) == (dialect == 1)
    assert generator.local_bytes(options) < 48 * 1024
