"""OpenMM's CUDA platform where there is no GPU: its library with a driver that does nothing.

Needs OpenMM's CUDA platform: ``pip install openmm-cuda-13``, or its wheel unpacked and named by
``NNP_OPENMM_CUDA`` in the environment. Where there is a driver, the stubs still stand in for it.
"""

from __future__ import annotations

import filecmp
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openmm
import pytest
from plugin_systems import need_plugin

HERE = Path(__file__).parent
WHEEL = Path(openmm.__file__).parent.parent
CUDA = Path(os.environ.get("NNP_OPENMM_CUDA", WHEEL)) / "OpenMM.libs"
LIBRARY = CUDA / "lib" / "plugins" / "libOpenMMCUDA.so"
# Beyond OpenMM's own: what a step costs in launches while the list holds.
STEP = ["nnp_gather", "nnp_place", "nnp_evaluate_e0", "nnp_finish", "nnp_scatter"]

PLATFORMS = """
import sys, openmm
try:
    openmm.Platform.loadPluginLibrary(sys.argv[1])
except openmm.OpenMMException as error:
    assert "libcuda.so.1" in str(error)
import nnp.openmm
for index in range(openmm.Platform.getNumPlatforms()):
    platform = openmm.Platform.getPlatform(index)
    print(platform.getName(), platform.supportsKernels(["CalcNNPForceOnDevice"]))
"""

STEPS = """
import sys, openmm
openmm.Platform.loadPluginLibrary(sys.argv[1])
from plugin_systems import context_of, crystal, pair_potential
import nnp.openmm
start = nnp.openmm.to_openmm(crystal(1))
system = nnp.openmm.create_system(pair_potential(), start, route="native")
context = context_of(system, start.positions_nm, "CUDA", properties={"Precision": sys.argv[2]})
for _ in range(2):
    print("evaluation", file=sys.stderr, flush=True)
    context.getState(forces=True)
"""


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()
    if not LIBRARY.is_file():
        pytest.skip(f"OpenMM's CUDA platform is not here ({LIBRARY}): pip install openmm-cuda-13")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to build the stub of libcuda.so.1 with")


def build(folder, name, source="/dev/null"):
    command = ["cc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", "-x", "c", str(source)]
    subprocess.run([*command, "-o", str(folder / name)], check=True)


def python(script, folder, *arguments):
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", script, str(LIBRARY), *arguments],
        env=os.environ | {"LD_LIBRARY_PATH": str(folder), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_headers_are_those_the_plugin_was_built_with():
    for header in ("common/ComputeContext.h", "common/ArrayInterface.h", "cuda/CudaPlatform.h"):
        ours = WHEEL / "OpenMM.libs" / "include" / "openmm" / header
        assert filecmp.cmp(ours, CUDA / "include" / "openmm" / header, shallow=False)


def test_loads_beside_an_empty_driver(tmp_path):
    for name in ("libcuda.so.1", "libcufft.so.12", "libnvrtc.so.13"):
        build(tmp_path, name)
    done = python(PLATFORMS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "CUDA True" in done.stdout.splitlines()


def test_without_a_driver_the_platform_is_silently_absent(tmp_path):
    for name in ("libcufft.so.12", "libnvrtc.so.13"):
        build(tmp_path, name)
    (tmp_path / "libcuda.so.1").write_text("no driver")
    done = python(PLATFORMS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "CUDA" not in done.stdout
    assert "CPU False" in done.stdout.splitlines()
    assert done.stderr == ""


@pytest.mark.parametrize(
    "precision",
    [
        "mixed",
        pytest.param("single", marks=[pytest.mark.slow, pytest.mark.exhaustive]),
        pytest.param("double", marks=[pytest.mark.slow, pytest.mark.exhaustive]),
    ],
)
def test_kernels_compile_and_are_launched(tmp_path, precision):
    """NVRTC compiles them behind OpenMM's own definitions, and the host side runs to its end."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(folder) / "cu13" / "lib" for folder in spec.submodule_search_locations or []]
    found = [folder for folder in folders if (folder / "libnvrtc.so.13").is_file()]
    if not found:
        pytest.skip("libnvrtc.so.13 is not installed: pip install nvidia-cuda-nvrtc")
    build(tmp_path, "libcuda.so.1", HERE / "plugin_cuda_driver.c")
    build(tmp_path, "libcufft.so.12")
    done = python(STEPS, f"{tmp_path}{os.pathsep}{found[0]}", precision)
    assert done.returncode == 0, done.stderr[-4000:]
    _, first, second = [
        [line.removeprefix("launched ") for line in part.splitlines() if "launched nnp_" in line]
        for part in done.stderr.split("evaluation\n")
    ]
    assert "nnp_fill" in first
    assert second == STEP
