"""The GPU host gives one answer on all devices: PyOpenCL's and OpenMM's, in the simulator and on
PoCL, by their results (gpu_devices.py); a recorder, by what is asked of it."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorder_device import EXTRAPOLATING, FAILED, LOST, MOST, REBUILD, Recorder

from nnp.engines._library import library_path
from nnp.engines.gpu.engine import StructureEngine
from nnp.errors import NumericalError, OptionError, StructureError, UnavailableError
from nnp.structure import Structure
from nnp.testing import random_potential

OCLGRIND = Path("/usr/lib/oclgrind/liboclgrind-rt-icd.so")
POCL = Path("/etc/OpenCL/vendors/pocl.icd")
CASES = ("local_memory", "no_skin", "cells", "large_forces", "many_neighbours", "refusals")
BOX = Structure(np.random.default_rng(3).uniform(0, 8, (6, 3)), [14] * 6, np.eye(3) * 8, True)


@pytest.fixture(scope="module", autouse=True)
def library():
    try:
        library_path()
    except UnavailableError as error:
        pytest.skip(str(error))


# ---- devices that compute ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """OpenCL → environment of a process that has no other one."""
    found = {}
    for name, icd in (("oclgrind", OCLGRIND), ("pocl", POCL)):
        folder = tmp_path_factory.mktemp(name)
        text = f"{icd}\n" if name == "oclgrind" else POCL.read_text() if POCL.is_file() else ""
        (folder / f"{name}.icd").write_text(text)
        found[name] = {"OCL_ICD_VENDORS": str(folder), "PYOPENCL_NO_CACHE": "1"}
    found["oclgrind"]["OCLGRIND_DATA_RACES"] = "1"
    found["pocl"]["POCL_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    found["pocl"]["POCL_EXTRA_BUILD_FLAGS"] = "-cl-opt-disable"
    return found


def on(environments, opencl, device, case):
    if device == "opencl":
        pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    else:
        pytest.importorskip("openmm", reason="OpenMM is not installed")
        from plugin_systems import need_plugin

        need_plugin()
    if not {"oclgrind": OCLGRIND, "pocl": POCL}[opencl].is_file():
        pytest.skip(f"{opencl} is not installed (Debian: oclgrind, pocl-opencl-icd)")
    script = Path(__file__).with_name("gpu_devices.py")
    result = subprocess.run(
        [sys.executable, str(script), case, device],
        env=os.environ | environments[opencl],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert f"passed {case}" in result.stdout
    for words in ("data race", "Invalid read", "Invalid write", "Uninitialized", "FATAL"):
        assert words not in result.stderr, result.stderr[:4000]


@pytest.mark.parametrize("device", ["opencl", "openmm"])
@pytest.mark.parametrize("case", CASES)
def test_one_answer_in_the_simulator(environments, case, device):
    on(environments, "oclgrind", device, case)


@pytest.mark.slow
@pytest.mark.parametrize("device", ["opencl", "openmm"])
@pytest.mark.parametrize("case", CASES)
def test_one_answer_on_pocl(environments, case, device):
    on(environments, "pocl", device, case)


# ---- a device that writes down what it is asked ------------------------------------------------


@pytest.fixture(scope="module")
def potential():
    return random_potential(("Si",), 1, ("radial", "angular_narrow"))


@pytest.fixture
def engine(potential):
    engine = StructureEngine(potential, Recorder(), "single")
    engine.compute(BOX)
    engine.device.log.clear()
    return engine


def free(n):
    """So many atoms without a cell."""
    positions = np.random.default_rng(n).uniform(0, 8, (n, 3))
    return Structure(positions, [14] * n, np.zeros((3, 3)), False)


def report(engine, **counters):
    """What evaluations say of themselves from now on."""
    places = {"rebuild": REBUILD, "lost": LOST, "failed": FAILED, "extrapolating": EXTRAPOLATING}

    def finish(arguments):
        numbers = arguments["report"].view(np.int32)
        numbers[:] = 0
        for name, value in counters.items():
            numbers[places[name]] = value

    engine.device.during["nnp_finish"] = finish


def status(engine, atom, bits):
    """The status of an atom after evaluations."""

    def evaluate(arguments):
        arguments["status"].view(np.int32)[atom] = bits

    engine.device.during["nnp_evaluate_e0"] = evaluate


def test_a_step_while_the_list_holds(engine):
    engine.compute(BOX)
    assert engine.device.launches() == ["nnp_place", "nnp_evaluate_e0", "nnp_finish"]
    kinds = [entry for entry in engine.device.log if entry[0] != "launch"]
    # positions; report, sums, energies, forces
    assert kinds == [("write", 144), *(("read", n) for n in (16, 32 * 7 * 8, 48, 144))]


def test_a_list(engine):
    engine.compute(Structure(BOX.positions, BOX.atomic_numbers, 2 * BOX.cell, True))
    assert engine.device.launches() == [
        "nnp_clear", "nnp_wrap", "nnp_scan", "nnp_drop", "nnp_sort", "nnp_place",
        "nnp_clear", "nnp_count", "nnp_scan", "nnp_fill",
        "nnp_place", "nnp_evaluate_e0", "nnp_finish",
    ]  # fmt: skip


@pytest.mark.parametrize("failing", [False, True])
def test_all_memory_is_given_back(potential, failing):
    device = Recorder()
    engine = StructureEngine(potential, device, "float64")
    for n in (6, 9, 3):
        engine.compute(free(n))
    assert device.sizes
    if failing:
        with pytest.raises(StructureError):
            engine.compute(Structure(BOX.positions, BOX.atomic_numbers, 1e-3 * np.eye(3), True))
    del engine
    gc.collect()
    assert device.sizes == {}
    assert device.memory() == []


def test_room_for_extrapolations_grows(engine):
    reported = iter([5000, 5000])

    def finish(arguments):
        arguments["report"].view(np.int32)[:] = 0, 0, 0, next(reported)

    engine.device.during["nnp_finish"] = finish
    assert len(engine.compute(BOX).extrapolations) == 5000
    assert ("empty", 2 * 5000 * 3 * 8) in engine.device.log
    assert engine.device.launches().count("nnp_finish") == 2


def test_a_list_that_never_holds_is_an_error(engine):
    report(engine, rebuild=1)
    with pytest.raises(UnavailableError, match="the neighbour list is never good enough"):
        engine.compute(BOX)
    assert engine.device.launches().count("nnp_finish") == 80
    report(engine)
    engine.compute(BOX)


def test_forces_too_large_for_the_coarsest_unit(engine):
    """2^-48, 2^-32 ... to 2^900 eV/Å; the next evaluation begins with the finest again."""
    scales = []

    def finish(arguments):
        scales.append(arguments["frame"].view(np.float32)[12])
        arguments["report"].view(np.int32)[:] = 0, 0, 1, 0

    def place(arguments):
        engine.device.during["nnp_finish"] = lambda given: finish({**given, **arguments})

    status(engine, 3, 4)
    seen = engine.device.during["nnp_evaluate_e0"]
    engine.device.during["nnp_evaluate_e0"] = lambda given: (seen(given), place(given))
    with pytest.raises(NumericalError, match="energy or force of atom 3 is not finite"):
        engine.compute(BOX)
    assert scales[:3] == [2.0**48, 2.0**32, 2.0**16]
    scales.clear()
    with pytest.raises(NumericalError):
        engine.compute(BOX)
    assert scales[0] == 2.0**48


def test_what_is_not_finite_may_pass(engine):
    from nnp.engines.gpu import library as c
    from nnp.engines.gpu.arrays import atoms_of

    report(engine, failed=1)
    status(engine, 2, 1)
    with pytest.raises(NumericalError, match="energy or force of atom 2 is not finite"):
        engine.compute(BOX)
    found = engine._host.evaluate(atoms_of(BOX), c.Request(wanted=3, allow_not_finite=1))
    assert found.not_finite == 1
    energy, energies, forces, _ = engine._host.read(6, True, False)
    assert np.isnan([energy, *energies, *forces.ravel()]).all()


def test_atoms_in_the_same_place_are_both_named(engine):
    positions = BOX.positions.copy()
    positions[5] = positions[1] + 2 * BOX.cell[0]
    report(engine, failed=2)
    status(engine, 5, 2)
    with pytest.raises(StructureError, match="atoms 1 and 5 are in the same place") as caught:
        engine.compute(Structure(positions, BOX.atomic_numbers, BOX.cell, True))
    assert caught.value.atoms == (1, 5)


def test_positions_too_far_for_their_squares(engine):
    positions = BOX.positions.copy()
    positions[4, 1] = 1e200
    with pytest.raises(StructureError, match=r"position of atom 4 is too far away: \(.*e\+199"):
        engine.compute(Structure(positions, BOX.atomic_numbers, np.zeros((3, 3)), False))


def test_more_neighbours_than_can_be_counted(engine):
    """Sums of 32 bits would wrap, to a number that may look right: counted on the host instead."""

    def scan(arguments):
        arguments["state"].view(np.int32)[MOST] = 2**30

    def count(arguments):
        arguments["counts"].view(np.int32)[:] = 2**30

    engine.device.during |= {"nnp_scan": scan, "nnp_count": count}
    with pytest.raises(
        UnavailableError, match=r"list of 6 atoms would have 6442450944 entries.*evaluate fewer"
    ):
        engine.compute(Structure(BOX.positions, BOX.atomic_numbers, 2 * BOX.cell, True))


def test_a_device_that_fails_says_why_and_can_go_on(engine):
    engine.device.full = True
    with pytest.raises(MemoryError, match=r"^full$"):
        engine.compute(free(7))
    engine.device.full = False
    engine.compute(free(7))
    engine.compute(BOX)


def test_options(potential):
    for options, message in (
        ({"group_size": 48}, "group_size is 48: allowed are the powers of two"),
        ({"capacity": 63}, "capacity is 63: allowed are even numbers"),
        ({"dtype": "half"}, "dtype='half' is unknown"),
        ({"skin": -1.0}, "skin=-1.0 must be"),
    ):
        with pytest.raises(OptionError, match=message):
            StructureEngine(potential, Recorder(), **options)
    with pytest.raises(
        UnavailableError, match=r"need \d+ bytes of local memory per atom, a recorder"
    ):
        StructureEngine(potential, Recorder(local_bytes=4096))


def test_a_table_of_another_version(potential, monkeypatch):
    from nnp.engines.gpu import library

    monkeypatch.setattr(library, "DEVICE_VERSION", 99)
    with pytest.raises(OptionError, match="the device's table is of version 99"):
        StructureEngine(potential, Recorder())


def test_no_atoms(engine):
    with pytest.raises(StructureError, match="no atoms"):
        engine.compute(free(0))


@pytest.mark.parametrize("name", ["REAL_BYTES", "MIXED_BYTES", "POINT_BYTES"])
def test_a_compiler_that_lays_out_otherwise_stops(potential, name):
    """The sizes that the host has counted with are checked by whoever compiles the kernels."""
    pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    from nnp.engines.flatten import flatten
    from nnp.engines.gpu.device_opencl import OpenCLDevice
    from nnp.engines.gpu.library import Generator, SourceOptions

    try:
        device = OpenCLDevice(0)
    except UnavailableError as error:
        pytest.skip(str(error))
    source = Generator(flatten(potential)).source(SourceOptions(1, 1, 64, 64), "list")
    assert f"#define {name} " in source
    with pytest.raises(UnavailableError, match="rejects the kernels"):
        device.compile(source.replace(f"#define {name} ", f"#define {name} 2 * "), "float32")


_ARGUMENTS = r"""
#include "arguments.h"
#include "error.h"
#include "texts.h"
#include <cstdio>
namespace nnp::gpu { const char* kernel_text(const char*) { return ""; } }
namespace nnp { std::string to_text(double) { return ""; } }
int main(int, char** words)
{
    try {
        for (const auto& found : nnp::gpu::read_prototypes(words[1]))
            std::printf("%s %s\n", found.first.c_str(), found.second.signature.c_str());
    } catch (const nnp::Error& error) {
        std::puts(error.what());
    }
}
"""


@pytest.fixture(scope="module")
def read_prototypes(tmp_path_factory):
    """The host's reader of kernels' arguments, as a program."""
    kernels = Path(__file__).parents[1] / "kernels"
    if shutil.which("g++") is None or not kernels.is_dir():
        pytest.skip("needs g++ and the source tree")
    folder = tmp_path_factory.mktemp("arguments")
    (folder / "main.cpp").write_text(_ARGUMENTS)
    command = ["g++", "-std=c++17", "-o", str(folder / "read"), str(folder / "main.cpp")]
    command += [str(kernels / "gpu" / "host" / "arguments.cpp")]
    command += [f"-I{kernels / name}" for name in ("gpu/host", "gpu", "include", "model")]
    subprocess.run(command, check=True)
    return lambda text: (
        subprocess.run(
            [str(folder / "read"), text], capture_output=True, text=True, check=True
        ).stdout
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("KERNEL void nnp_k(int n, GLOBAL const double* RESTRICT box) {}", "nnp_k ib\n"),
        ("KERNEL void ELEMENT(nnp_k)(GLOBAL unsigned char* periodic,\n int what)", "nnp_k bi\n"),
        ("KERNEL void nnp_k(int count)", "takes 'int count'"),
        ("KERNEL void nnp_k(GLOBAL float* box)", "takes 'float* box'"),
        ("KERNEL void nnp_k(double box)", "takes 'double box'"),
        ("KERNEL void nnp_k(GLOBAL int* n)", "takes 'int* n'"),
    ],
)  # fmt: skip
def test_a_kernel_with_arguments_that_the_host_does_not_have(read_prototypes, text, said):
    assert said in read_prototypes(text)
