"""A device that runs nothing: it keeps memory, and writes down what the GPU host asks of it.

``during`` lets a test stand in for kernels: name of a kernel → function of its arguments by name,
integers as they are and buffers as NumPy arrays of bytes, to be viewed as what they hold.
"""

from __future__ import annotations

import ctypes as ct
import re
from contextlib import nullcontext

import numpy as np

from nnp.engines.gpu.device import Buffer, Device

# layout.inc
REBUILD, LOST, FAILED, EXTRAPOLATING, ROOM, MOST, ENTRY_ROOM, TOTAL = range(8)


class Recorder(Device):
    description = "a recorder"
    many_threads = True

    def __init__(self, dialect="cuda", local_bytes=48 * 1024, many_threads=True):
        super().__init__()
        self.dialect, self.local_bytes, self.many_threads = dialect, local_bytes, many_threads
        self.log, self.sources, self.kernels, self.during = [], [], [], {}
        self.sizes = {}  # address → bytes, of all that was allocated and not released
        self.full = False

    def compile(self, source, precision):
        self.log.append(("compile", precision))
        self.sources.append(source)
        return source

    def kernel(self, program, name, signature):
        names = argument_names(program, name)
        assert len(names) == len(signature), name
        self.kernels.append((name, names, signature))
        return len(self.kernels) - 1

    def empty(self, size, dtype):
        if self.full:
            raise MemoryError("full")
        array = np.zeros(max(size, 1) * np.dtype(dtype).itemsize, np.uint8)
        self.log.append(("empty", array.size))
        self.sizes[array.ctypes.data] = array.size
        return Buffer(array.ctypes.data, size, np.dtype(dtype), array)

    def release(self, handle):
        del self.sizes[handle]

    def write(self, handle, values, n_bytes):
        assert n_bytes <= self.sizes[handle]
        self.log.append(("write", n_bytes))
        ct.memmove(handle, values, n_bytes)

    def read(self, handle, values, n_bytes):
        assert n_bytes <= self.sizes[handle]
        self.log.append(("read", n_bytes))
        ct.memmove(values, handle, n_bytes)

    def launch(self, kernel, groups, size, arguments):
        name, names, signature = self.kernels[kernel]
        numbers = (ct.c_uint64 * len(names)).from_address(arguments)
        given = {
            n: int(v) if s == "i" else self.bytes_of(v)
            for n, s, v in zip(names, signature, numbers, strict=True)
        }
        self.log.append(("launch", name, groups, size))
        if name in self.during:
            self.during[name](given)

    def bytes_of(self, handle):
        """Memory at an address; every buffer that a kernel gets is one that was allocated."""
        found = (ct.c_uint8 * self.sizes[handle]).from_address(handle)
        return np.frombuffer(found, np.uint8)

    def launches(self):
        return [entry[1] for entry in self.log if entry[0] == "launch"]

    # ---- arrays: none -------------------------------------------------------------------------

    def is_array(self, value):
        return isinstance(value, Buffer)

    def queue_of(self, *_):
        return nullcontext()

    def view(self, name, array):
        raise AssertionError((name, array))

    def new(self, like, shape, dtype):
        raise AssertionError((like, shape, dtype))

    def cast(self, array, dtype):
        raise AssertionError((array, dtype))


def argument_names(source, kernel):
    """Of a kernel in a program's text, whose name may be ``ELEMENT(name)``."""
    base = re.sub(r"_e\d+$", "", kernel)
    pattern = rf"KERNEL void (?:{kernel}|ELEMENT\({base}\))\(([^)]*)\)"
    found = re.search(pattern, source)
    assert found, kernel
    return [argument.split()[-1] for argument in found[1].split(",")]
