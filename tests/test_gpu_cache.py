"""Compiled kernels on disk: ours for OpenCL, CuPy's for CUDA; and what a broken file does."""

from __future__ import annotations

import numpy as np
import pytest

from nnp.engines.gpu import binaries
from nnp.engines.gpu.binaries import Binaries
from nnp.errors import UnavailableError

KERNEL = "__kernel void twice(__global double* a) { a[get_global_id(0)] *= 2; }"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NNP_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_there_and_back(folder):
    place = Binaries("a", "b")
    assert place.load() is None
    place.save(b"machine code")
    assert place.load() == b"machine code"
    assert Binaries("a", "b").load() == b"machine code"
    assert [path.suffix for path in folder.iterdir()] == [".bin"]


def test_everything_counts(monkeypatch):
    """Text, options, device, driver, in this order; and the form of the files."""
    Binaries("device", "driver", "text").save(b"x")
    for other in (("device", "driver", "text "), ("device", "newer", "text"), ("devic", "e", "")):
        assert Binaries(*other).load() is None
    assert Binaries("devicedriver", "text").load() is None
    monkeypatch.setattr(binaries, "_FORM", "nnp-2")
    assert Binaries("device", "driver", "text").load() is None


@pytest.mark.parametrize("break_", [
    lambda data: data[:0], lambda data: data[:20], lambda data: data[:-1],
    lambda data: data[:40] + b"?" + data[41:], lambda data: data + b"more",
])  # fmt: skip
def test_a_broken_file_is_no_file(break_):
    place = Binaries("a")
    place.save(b"machine code " * 9)
    place.path.write_bytes(break_(place.path.read_bytes()))
    assert place.load() is None
    place.save(b"new")
    assert place.load() == b"new"


def test_never_half_a_file(folder, monkeypatch):
    """A write that fails leaves what was there, and nothing beside it."""
    place = Binaries("a")
    place.save(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(binaries.os, "fdopen", full)
    place.save(b"new")
    assert place.load() == b"old"
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_cannot_be_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NNP_CACHE_DIR", str(tmp_path / "file" / "kernels"))
    place = Binaries("a")
    place.save(b"x")
    assert place.load() is None


def test_where(monkeypatch, tmp_path):
    monkeypatch.delenv("NNP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert binaries.folder() == tmp_path / "nnp"


# ---- OpenCL ------------------------------------------------------------------------------------


@pytest.fixture
def device():
    pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    from nnp.engines.gpu.device_opencl import OpenCLDevice

    try:
        return OpenCLDevice(0)
    except UnavailableError as error:
        pytest.skip(str(error))


def doubled(device):
    program = device.compile(KERNEL, "float64")
    buffer = device.uploaded(np.array([1.0, 2.5]))
    arguments = np.array([buffer.handle], np.uint64)
    device.launch(device.kernel(program, "twice", "b"), 1, 2, arguments.ctypes.data)
    return device.downloaded(buffer).tolist()


def compilations(monkeypatch):
    """From text, from now on."""
    from nnp.engines.gpu import device_opencl as opencl

    program, texts = opencl.cl.Program, []

    def counted(*arguments):
        if isinstance(arguments[-1], str):
            texts.append(arguments[-1])
        return program(*arguments)

    monkeypatch.setattr(opencl.cl, "Program", counted)
    return texts


def test_opencl_compiles_once(device, folder, monkeypatch):
    texts = compilations(monkeypatch)
    assert doubled(device) == [2, 5]
    assert len(list(folder.iterdir())) == 1
    assert doubled(device) == [2, 5]
    assert texts == [KERNEL]


@pytest.mark.parametrize("valid_hash", [False, True])
def test_opencl_compiles_again_what_is_broken(device, folder, monkeypatch, valid_hash):
    """Also where the hash agrees and the driver does not take the binary."""
    texts = compilations(monkeypatch)
    doubled(device)
    (path,) = folder.iterdir()
    if valid_hash:
        path.write_bytes(binaries.hashlib.sha256(b"no program").digest() + b"no program")
    else:
        path.write_bytes(path.read_bytes()[:-9])
    assert doubled(device) == [2, 5]
    assert texts == [KERNEL, KERNEL]
    assert doubled(device) == [2, 5]
    assert len(texts) == 2


# ---- CUDA: CuPy's own --------------------------------------------------------------------------


def test_cupy_keeps_what_nvrtc_makes(tmp_path, monkeypatch):
    """By text, options and architecture; a broken file is compiled again. Without a GPU the
    compiler is real and the loading of the result is not."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    compiler = cupy.cuda.compiler
    if not hasattr(compiler, "_DiskKernelCacheBackend"):
        pytest.skip("before CuPy 14 the cache was built differently")
    monkeypatch.setattr(
        compiler, "_kernel_cache_backend", compiler._DiskKernelCacheBackend(str(tmp_path))
    )
    loaded, compiled = [], []
    fake = type("M", (), {"load": lambda _, b: loaded.append(b), "_set_mapping": lambda *_: None})
    monkeypatch.setattr(compiler.function, "Module", fake)
    monkeypatch.setattr(
        compiler, "_get_arch_for_options_for_nvrtc", lambda arch=None: (f"-arch=sm_{arch}", "cubin")
    )
    real = compiler._compile_using_nvrtc_no_warning
    monkeypatch.setattr(
        compiler,
        "_compile_using_nvrtc_no_warning",
        lambda *a, **k: (compiled.append(a[2]), real(*a, **k))[1],
    )

    def build(text="", arch="90"):
        source = f'extern "C" __global__ void k(double* a) {{ a[0] *= 2; {text} }}'
        compiler._compile_module_with_cache(source, options=("--std=c++17",), arch=arch)

    build()
    build()
    assert compiled == ["90"]
    assert loaded[0] == loaded[1]
    build(arch="80")
    build("a[1] = 0;")
    assert compiled == ["90", "80", "90"]
    assert len(list(tmp_path.iterdir())) == 3
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    build()
    assert compiled == ["90", "80", "90", "90"]
    assert loaded[-1] == loaded[0]
