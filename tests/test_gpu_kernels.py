"""The GPU kernels where there is no GPU: on PoCL, and in the simulator oclgrind with race checks.

Each case of gpu_cases_*.py runs in a process of its own, because a process sees the OpenCL
platforms that its environment named when the first one was opened.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnp.engines._library import library_path
from nnp.errors import UnavailableError

pytest.importorskip("torch", reason="the reference engine needs torch")
pytest.importorskip("pyopencl", reason="pyopencl is not installed")

POCL_FAST = ("extrapolations", "repulsion", "moment_extrapolations")
CASES = Path(__file__).with_name("gpu_cases.py")
OCLGRIND = Path("/usr/lib/oclgrind/liboclgrind-rt-icd.so")
POCL = Path("/etc/OpenCL/vendors/pocl.icd")
FAST = ("products", "refusals", "tangents_repeat", "array_products", "repulsion")
FAST_MOMENTS = ("moments", "moment_products")
SLOW = (
    "silicon", "repeats", "tangents",
    "binary", "single", "cutoffs", "activations", "exponents", "five_elements", "tiles",
    "many_neighbours", "group_sizes", "extrapolations", "list_follows", "random_families",
    "every_structure", "some_hundred_atoms",
    "moment_shares", "moment_degrees", "moment_series", "moment_company", "moment_extrapolations",
    "moment_refusals", "nep_known_answers",
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def library():
    try:
        library_path()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def simulator(tmp_path_factory):
    """Environment of a process whose only OpenCL device is oclgrind's."""
    if not OCLGRIND.is_file():
        pytest.skip(f"oclgrind is not installed ({OCLGRIND} is missing): apt-get install oclgrind")
    vendors = tmp_path_factory.mktemp("vendors")
    (vendors / "oclgrind.icd").write_text(f"{OCLGRIND}\n")
    return {"OCL_ICD_VENDORS": str(vendors), "OCLGRIND_DATA_RACES": "1"}


@pytest.fixture(scope="session")
def pocl(tmp_path_factory):
    """Environment of a process whose only OpenCL device is PoCL's."""
    if not POCL.is_file():
        pytest.skip(f"PoCL is not installed ({POCL} is missing): apt-get install pocl-opencl-icd")
    vendors = tmp_path_factory.mktemp("vendors")
    (vendors / "pocl.icd").write_text(POCL.read_text())
    return {"OCL_ICD_VENDORS": str(vendors), "POCL_CACHE_DIR": str(tmp_path_factory.mktemp("pocl"))}


def run(case, environment, seconds):
    environment = os.environ | environment | {"PYOPENCL_NO_CACHE": "1"}
    result = subprocess.run(
        [sys.executable, str(CASES), case],
        env=environment, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert f"passed {case}" in result.stdout
    return result.stderr


def assert_clean(errors):
    for words in ("data race", "Invalid read", "Invalid write", "Uninitialized", "FATAL"):
        assert words not in errors, errors[:4000]


@pytest.mark.parametrize("case", FAST + FAST_MOMENTS)
def test_in_the_simulator(simulator, case):
    assert_clean(run(case, simulator, 300))


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("case", SLOW)
def test_in_the_simulator_at_length(simulator, case):
    assert_clean(run(case, simulator, 1800))


@pytest.mark.parametrize("case", POCL_FAST)
def test_on_pocl(pocl, case):
    run(case, pocl, 600)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "case", [case for case in FAST + FAST_MOMENTS + SLOW if case not in POCL_FAST]
)
def test_on_pocl_at_length(pocl, case):
    run(case, pocl, 3600)


def test_race_checks_find_races(simulator, tmp_path):
    """The control: a kernel with a race is reported."""
    script = tmp_path / "race.py"
    script.write_text(
        "import numpy as np, pyopencl as cl\n"
        "device = cl.get_platforms()[0].get_devices()[0]\n"
        "context = cl.Context([device])\n"
        "queue = cl.CommandQueue(context)\n"
        "text = '__kernel void k(__global int* a) { a[0] = get_global_id(0); }'\n"
        "buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE, 4)\n"
        "cl.Program(context, text).build().k(queue, (4,), (4,), buffer)\n"
        "queue.finish()\n"
    )
    result = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | simulator, capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert "data race" in result.stderr
