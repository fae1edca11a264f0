"""As much of CuPy as the CUDA engine uses, on the host: arrays are NumPy's, kernels do nothing.

What it cannot show: that kernels run, that streams are in order, what a driver says. It shows
which calls are made, with what, and what becomes of the errors CuPy raises.
"""

from __future__ import annotations

import ctypes as ct
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace

import numpy as np


class CUDARuntimeError(RuntimeError):
    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class CUDADriverError(RuntimeError):
    pass


class CompileException(Exception):  # noqa: N818
    pass


class OutOfMemoryError(MemoryError):
    pass


class Array(np.ndarray):
    """A ``cupy.ndarray``: memory of the fake device."""

    device = SimpleNamespace(id=0)

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


class Memory:
    """A ``cupy.cuda.MemoryPointer``."""

    def __init__(self, n_bytes):
        self._inside = np.zeros(n_bytes, np.uint8)
        self.ptr = self._inside.ctypes.data


class Stream:
    def __init__(self, ptr):
        self.ptr = ptr

    @classmethod
    def from_external(cls, obj):
        version, pointer = obj.__cuda_stream__()
        assert version == 0
        return cls(pointer)

    def __enter__(self):
        FAKE.streams.append(self)

    def __exit__(self, *_):
        FAKE.streams.pop()

    def synchronize(self):
        assert not FAKE.capturing

    def is_capturing(self):
        return FAKE.capturing

    def record(self):
        return ("event", self.ptr)

    def wait_event(self, event):
        FAKE.log.append(("wait", self.ptr, event))


class Device:
    def __init__(self, index=0):
        self.id = index

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class RawModule:
    def __init__(self, code, options, backend):
        assert backend == "nvrtc"
        self.code, self.options = code, options

    def compile(self):
        FAKE.log.append(("compile", self.options))
        if FAKE.compile_error:
            raise FAKE.compile_error

    def get_function(self, name):
        assert f" {name}(" in self.code or "_e" in name  # a kernel of the text

        def launch(grid, block, arguments):
            FAKE.log.append(("launch", name, FAKE.streams[-1].ptr, grid, block, arguments))
            if name == "nnp_finish":
                report = (ct.c_int32 * 4).from_address(int(arguments[-1]))
                report[:] = FAKE.report

        return launch


def _empty(shape, dtype=np.float64):
    FAKE.log.append(("empty", shape))
    if FAKE.memory_error:
        raise FAKE.memory_error
    return np.zeros(shape, dtype).view(Array)


def _alloc(n_bytes):
    FAKE.log.append(("alloc", n_bytes))
    if FAKE.memory_error:
        raise FAKE.memory_error
    return Memory(n_bytes)


def _copy(to, source, n_bytes, kind, stream):
    """Memory of the device is the host's."""
    FAKE.log.append(({1: "set", 2: "get"}[kind], n_bytes))
    assert stream == FAKE.streams[-1].ptr
    ct.memmove(to, source, n_bytes)


def _asarray(value):
    if isinstance(value, Array):
        return value
    return np.asarray(SimpleNamespace(__array_interface__=value.__cuda_array_interface__)).view(
        Array
    )


def _count():
    if FAKE.count_error:
        raise FAKE.count_error
    return FAKE.count


def _nvrtc_version():
    if FAKE.nvrtc_error:
        raise FAKE.nvrtc_error
    return FAKE.nvrtc


class Fake:
    """The module, and what a test sets and sees."""

    ndarray, RawModule = Array, RawModule
    empty, asarray = staticmethod(_empty), staticmethod(_asarray)

    def __init__(self):
        self.log, self.streams = [], [Stream(0)]
        self.capturing = False
        self.report = (0, 0, 0, 0)  # what evaluations say of themselves
        self.count, self.driver, self.runtime = 1, 13020, 13020
        self.architecture, self.nvrtc = (9, 0), (13, 5)
        self.count_error = self.compile_error = self.memory_error = self.nvrtc_error = None
        runtime = SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            getDeviceCount=_count,
            driverGetVersion=lambda: self.driver,
            runtimeGetVersion=lambda: self.runtime,
            memcpyAsync=_copy,
            getDeviceProperties=lambda _: {
                "name": b"Fake GPU", "major": self.architecture[0], "minor": self.architecture[1],
            },
        )  # fmt: skip
        self.cuda = SimpleNamespace(
            runtime=runtime,
            Device=Device,
            Stream=Stream,
            alloc=_alloc,
            get_current_stream=lambda: self.streams[-1],
            compiler=SimpleNamespace(CompileException=CompileException),
            driver=SimpleNamespace(CUDADriverError=CUDADriverError),
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            nvrtc=SimpleNamespace(getVersion=_nvrtc_version),
        )

    @staticmethod
    def ascontiguousarray(value, dtype):
        FAKE.log.append(("cast", str(dtype)))
        return np.ascontiguousarray(value, dtype).view(Array)

    @staticmethod
    def from_dlpack(value):
        return np.from_dlpack(value).view(Array)

    def launches(self):
        """Names of the kernels started since the log was cleared."""
        return [entry[1] for entry in self.log if entry[0] == "launch"]


def tensor(values):
    """A torch tensor that says it lies on the GPU."""
    import torch

    return torch.from_numpy(np.array(values)).as_subclass(_of_cuda())


def plain(value):
    """The tensor as it is."""
    import torch

    return value.as_subclass(torch.Tensor)


@cache
def _of_cuda():
    import torch

    class OfCuda(torch.Tensor):
        is_cuda = True

        @property
        def __cuda_array_interface__(self):
            return plain(self).numpy().__array_interface__

        def cpu(self):
            FAKE.log.append(("cpu", self.numel()))
            return plain(self)

    return OfCuda


FAKE: Fake = None  # the one in use


@contextmanager
def installed(monkeypatch):
    """``import cupy`` gets a fresh fake within."""
    global FAKE  # noqa: PLW0603
    FAKE = Fake()
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "cupy", FAKE)
        yield FAKE
    FAKE = None
