"""Threads per atom, and when kernels are compiled again; on a device that runs nothing."""

from __future__ import annotations

import numpy as np
import pytest
from recorder_device import MOST, Recorder

from nnp.engines._library import library_path
from nnp.engines.flatten import flatten
from nnp.engines.gpu.engine import StructureEngine
from nnp.engines.gpu.library import DIALECTS, PRECISIONS, Generator, SourceOptions
from nnp.errors import UnavailableError
from nnp.structure import Structure
from nnp.testing import random_potential


@pytest.fixture(scope="module", autouse=True)
def library():
    try:
        library_path()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def potential():
    return random_potential(("Si",), 1, ("radial", "angular_narrow"))


def fit(engine, neighbors, atoms):
    """Evaluate so many atoms, of which one has so many list entries: the recorder says so."""

    def scan(arguments):
        arguments["state"].view(np.int32)[MOST] = neighbors

    engine.device.during["nnp_scan"] = scan
    positions = np.random.default_rng(atoms).uniform(0, 50, (atoms, 3))
    edge = 50 + 10 * engine.statistics["list_builds"]  # no list holds for the next cell
    engine.compute(Structure(positions, [14] * atoms, edge * np.eye(3), True))
    return engine._host.statistics()


@pytest.mark.parametrize(
    ("atoms", "neighbors", "threads"),
    [(1, 4, 256), (192, 120, 256), (500, 40, 128), (8000, 46, 32), (8000, 126, 64)],
)
def test_threads_by_atoms_and_neighbors(potential, atoms, neighbors, threads):
    engine = StructureEngine(potential, Recorder(), "single")
    assert fit(engine, neighbors, atoms).group_size == threads
    assert f"#define GROUP_SIZE {threads}\n" in engine.device.sources[-1]
    evaluated = [entry for entry in engine.device.log if entry[:2] == ("launch", "nnp_evaluate_e0")]
    assert evaluated == [("launch", "nnp_evaluate_e0", atoms, threads)]


def test_threads_that_the_caller_chose(potential):
    engine = StructureEngine(potential, Recorder(), "single", group_size=128)
    for atoms in (10, 10000):
        assert fit(engine, 40, atoms).group_size == 128


def test_a_cpu_keeps_its_group(potential):
    engine = StructureEngine(potential, Recorder("opencl", many_threads=False), "single")
    assert fit(engine, 40, 10).group_size == 64


def test_many_threads_only_where_local_memory_is_enough(potential):
    options = SourceOptions(PRECISIONS["float64"], DIALECTS["cuda"], 64, 128)
    needed = Generator(flatten(potential)).local_bytes(options)
    engine = StructureEngine(potential, Recorder(local_bytes=needed), "float64")
    assert fit(engine, 120, 10).group_size == 64


def test_compiled_again_only_where_something_changed(potential):
    """And not for structures of two sizes in turn."""
    engine = StructureEngine(potential, Recorder(), "single")
    sizes = ((40, 10), (50, 20), (50, 2000), (40, 3000), (100, 3000), (50, 3000), (50, 10))
    counts = []
    for neighbors, atoms in (*sizes, (50, 3000), (50, 10)):
        group = fit(engine, neighbors, atoms).group_size
        counts.append(len(engine.device.sources) - 1)  # the list's program is one of its own
        assert f"#define GROUP_SIZE {group}\n" in engine.source
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert group == 256
