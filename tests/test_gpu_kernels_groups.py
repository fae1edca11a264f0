"""Threads per atom, and when kernels are compiled again; on a device that is none."""

from __future__ import annotations

import numpy as np
import pytest

from nnp.engines._library import library_path
from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.program import Program
from nnp.errors import UnavailableError
from nnp.testing import random_potential


@pytest.fixture(scope="module", autouse=True)
def library():
    try:
        library_path()
    except UnavailableError as error:
        pytest.skip(str(error))


class NoDevice:
    """Takes everything and counts what it is given to compile."""

    description = "no device"
    most_groups = 1 << 20

    def __init__(self, dialect="cuda", local_bytes=48 * 1024):
        self.dialect, self.local_bytes, self.compiled = dialect, local_bytes, 0

    def compile(self, source, precision):
        assert source
        assert precision
        self.compiled += 1
        return self.compiled

    def empty(self, size, dtype):
        return Buffer(None, size, np.dtype(dtype))

    def write(self, buffer, values):
        assert buffer.size == len(values)


@pytest.fixture(scope="module")
def potential():
    return random_potential(("Si",), 1, ("radial", "angular_narrow"))


@pytest.mark.parametrize(
    ("atoms", "neighbors", "threads"),
    [(1, 4, 256), (192, 120, 256), (500, 40, 128), (8000, 46, 32), (8000, 126, 64)],
)
def test_threads_by_atoms_and_neighbors(potential, atoms, neighbors, threads):
    program = Program(potential, "single", NoDevice())
    program.fit(neighbors, atoms)
    assert program.group_size == threads
    assert f"#define GROUP_SIZE {threads}\n" in program.source


def test_threads_that_the_caller_chose(potential):
    program = Program(potential, "single", NoDevice(), group_size=128)
    for atoms in (10, 10000):
        program.fit(40, atoms)
        assert program.group_size == 128


def test_a_cpu_keeps_its_group(potential):
    program = Program(potential, "single", NoDevice("opencl"))
    program.fit(40, 10)
    assert program.group_size == 64


def test_many_threads_only_where_local_memory_is_enough(potential):
    probe = Program(potential, "float64", NoDevice())
    needed = probe.generator.local_bytes(probe.options(128, 64))
    program = Program(potential, "float64", NoDevice(local_bytes=needed))
    program.fit(120, 10)
    assert program.group_size == 64


def test_compiled_again_only_where_something_changed(potential):
    """And not for structures of two sizes in turn."""
    device = NoDevice()
    program = Program(potential, "single", device)
    sizes = ((40, 10), (50, 20), (50, 2000), (40, 3000), (100, 3000), (50, 3000), (50, 10))
    counts = []
    for neighbors, atoms in (*sizes, (50, 3000), (50, 10)):
        program.fit(neighbors, atoms)
        counts.append(device.compiled)
        assert f"#define GROUP_SIZE {program.group_size}\n" in program.source
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert program.group_size == 256
    assert program.compiled == 4
