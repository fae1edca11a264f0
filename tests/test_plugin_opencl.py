"""The plugin's GPU kernels and its way through the host on OpenMM's OpenCL platform, without a GPU.

In the simulator oclgrind with race checks, and on PoCL. Each case of plugin_gpu_cases.py runs in a
process of its own, which sees only the one device.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openmm
import pytest
from plugin_systems import need_plugin

CASES = Path(__file__).with_name("plugin_gpu_cases.py")
OCLGRIND = Path("/usr/lib/oclgrind/liboclgrind-rt-icd.so")
POCL = Path("/etc/OpenCL/vendors/pocl.icd")
SIMULATED = ("scale", "monitors", "subset", "not_finite", "tiny_box", "some")
ON_POCL = ("dynamics", "two_devices", "automatic", "repulsion", "moments")
AT_LENGTH = ("one_element", "two_elements", "every_family")


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()
    count = openmm.Platform.getNumPlatforms()
    if "OpenCL" not in [openmm.Platform.getPlatform(i).getName() for i in range(count)]:
        pytest.skip("OpenMM has no platform OpenCL here (Debian: pocl-opencl-icd)")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    """Environment of a process whose only OpenCL device is oclgrind's."""
    if not OCLGRIND.is_file():
        pytest.skip(f"oclgrind is not installed ({OCLGRIND} is missing): apt-get install oclgrind")
    vendors = tmp_path_factory.mktemp("vendors")
    (vendors / "oclgrind.icd").write_text(f"{OCLGRIND}\n")
    return {"OCL_ICD_VENDORS": str(vendors), "OCLGRIND_DATA_RACES": "1"}


@pytest.fixture(scope="module")
def pocl(tmp_path_factory):
    """Environment of a process whose only OpenCL device is PoCL's.

    Without the flag PoCL 3.1 takes minutes to compile our kernels, and what it makes of OpenMM's
    own ends the process where a System has one particle.
    """
    if not POCL.is_file():
        pytest.skip(f"PoCL is not installed ({POCL} is missing): apt-get install pocl-opencl-icd")
    vendors = tmp_path_factory.mktemp("vendors")
    (vendors / "pocl.icd").write_text(POCL.read_text())
    return {
        "OCL_ICD_VENDORS": str(vendors),
        "POCL_CACHE_DIR": str(tmp_path_factory.mktemp("pocl")),
        "POCL_EXTRA_BUILD_FLAGS": "-cl-opt-disable",
    }


def run(case, environment, seconds):
    result = subprocess.run(
        [sys.executable, str(CASES), case],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert f"passed {case}" in result.stdout
    for words in ("data race", "Invalid read", "Invalid write", "Uninitialized", "FATAL"):
        assert words not in result.stderr, result.stderr[:4000]


@pytest.mark.parametrize("case", SIMULATED)
def test_in_the_simulator(simulator, case):
    run(case, simulator, 600)


@pytest.mark.parametrize("case", ON_POCL)
def test_on_pocl(pocl, case):
    run(case, pocl, 600)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("case", AT_LENGTH)
def test_in_the_simulator_at_length(simulator, case):
    run(case, simulator, 3600)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("case", SIMULATED + AT_LENGTH)
def test_on_pocl_at_length(pocl, case):
    run(case, pocl, 3600)
