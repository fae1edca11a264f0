"""The GPU kernels compiled by NVRTC for every architecture, without a GPU: registers and spills."""

from __future__ import annotations

import ctypes as ct
import importlib.util
import re
from pathlib import Path

import pytest
from nep_files import nep_text

import nnp
from nnp.engines._library import library_path
from nnp.engines.flatten import flatten
from nnp.engines.gpu.device_cupy import COMPILE_OPTIONS
from nnp.engines.gpu.library import (
    DIALECTS,
    PRECISIONS,
    PROGRAMS,
    Generator,
    SourceOptions,
)
from nnp.errors import UnavailableError
from nnp.testing import random_potential

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")


@pytest.fixture(scope="session", autouse=True)
def library():
    try:
        library_path()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def nvrtc():
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in spec.submodule_search_locations] if spec else []
    found = sorted(p for f in folders for p in f.rglob("libnvrtc.so.13*") if p.is_file())
    if not found:
        pytest.skip("NVRTC is not installed: pip install 'nvidia-cuda-nvrtc>=13,<14'")
    return ct.CDLL(str(found[0]))


@pytest.fixture(scope="session")
def small():
    """Functions of each kind of loop, few of them: compile times."""
    return random_potential(("H", "O"), 3, ("radial", "angular_narrow", "weighted_angular"))


def compiled(nvrtc, potential, precision, architecture, name="evaluation", group_size=64):
    """NVRTC's result code and its log, ptxas' words included."""
    options = SourceOptions(PRECISIONS[precision], DIALECTS["cuda"], group_size, 128)
    source = Generator(flatten(potential)).source(options, name)
    flags = [
        option.encode()
        for option in (
            f"--gpu-architecture={architecture}", "--ptxas-options=-v", *COMPILE_OPTIONS[precision],
        )
    ]  # fmt: skip
    program, size = ct.c_void_p(), ct.c_size_t()
    nvrtc.nvrtcCreateProgram(ct.byref(program), source.encode(), b"nnp.cu", 0, None, None)
    code = nvrtc.nvrtcCompileProgram(program, len(flags), (ct.c_char_p * len(flags))(*flags))
    nvrtc.nvrtcGetProgramLogSize(program, ct.byref(size))
    log = ct.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ct.byref(program))
    return code, log.value.decode()


def usage(log):
    """Kernel → (registers, bytes spilled)."""
    pattern = (
        r"Compiling entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads"
        r".*?Used (\d+) registers"
    )
    return {
        name: (int(registers), int(stores) + int(loads))
        for name, stores, loads, registers in re.findall(pattern, log, re.DOTALL)
    }


def check(nvrtc, potential, precision, architecture, group_size=64):
    kernels = {}
    for name in PROGRAMS:
        code, log = compiled(nvrtc, potential, precision, architecture, name, group_size)
        assert code == 0, log[:4000]
        kernels |= usage(log)
    assert {"nnp_place", "nnp_fill", "nnp_finish", "nnp_give", "nnp_flatten"} <= set(kernels)
    assert {"nnp_evaluate_e0", "nnp_change_e0"} <= set(kernels)
    for name, (registers, spilled) in kernels.items():
        print(f"{architecture} {precision} {name}: {registers} registers, {spilled} bytes spilled")  # noqa: T201
    if precision != "float64":
        assert {name for name, (_, spilled) in kernels.items() if spilled} == set()
    return kernels


@pytest.mark.parametrize("precision", PRECISIONS)
def test_compiles(nvrtc, precision):
    potential = random_potential(("Si",), 3, ("radial", "angular_narrow"))
    check(nvrtc, potential, precision, "sm_90")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_compiles_for_every_architecture(nvrtc, small, precision, architecture):
    check(nvrtc, small, precision, architecture)


@pytest.fixture(scope="session")
def nep(tmp_path_factory):
    """Of the size that people train: l up to 4, 4-body and 5-body, eight radial functions."""
    path = tmp_path_factory.mktemp("nep") / "nep.txt"
    path.write_text(nep_text(("Si",), n_max=(8, 7), basis_size=(10, 8), l_max="4 2 1", neurons=30))
    return nnp.load(path)


def test_moments_leave_room_for_sixteen_warps(nvrtc, nep):
    kernels = check(nvrtc, nep, "single", "sm_90")
    assert kernels["nnp_evaluate_e0"][0] <= 128


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("precision", ["float32", "single"])
def test_moments_for_every_architecture(nvrtc, nep, precision, architecture):
    for group_size in (32, 256):
        check(nvrtc, nep, precision, architecture, group_size)


@pytest.mark.exhaustive
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_family_compiles(nvrtc, precision):
    """All families in one potential: 41 groups of functions in one kernel."""
    check(nvrtc, random_potential(("H", "O"), 2), precision, "sm_90")


@pytest.mark.slow
def test_registers_do_not_grow_with_the_number_of_groups(nvrtc):
    """What a group's loop leaves without a value is held all through the kernel, once per group."""

    def registers(families):
        potential = random_potential(("Si",), 2, families)
        code, log = compiled(nvrtc, potential, "single", "sm_90")
        assert code == 0, log[:4000]
        return usage(log)["nnp_evaluate_e0"][0]

    families = ("angular_wide", "compact_angular_wide", "weighted_angular")
    assert registers(families) < registers(families[:1]) + 20


def test_spills_are_seen():
    """The control: the pattern finds a spill in ptxas' own words."""
    log = (
        "ptxas info : Compiling entry function 'k' for 'sm_90'\n"
        "ptxas . 40 bytes stack frame, 36 bytes spill stores, 44 bytes spill loads\n"
        "ptxas info : Used 255 registers, used 1 barriers\n"
    )
    assert usage(log) == {"k": (255, 80)}
