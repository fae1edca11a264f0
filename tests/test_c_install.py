"""What is installed is enough for C and C++: examples are built from a copy of it, and run."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnp
from nnp.engines import _library
from nnp.structure import Structure

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "c"
MODEL = Path(nnp.__file__).parent / "data" / "silicon_sw.nnp"
# Leaks are looked for with ptrace, which containers often forbid; valgrind looks for them too.
ENVIRONMENT = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}


def run(*command, env=None):
    """What a program says; its message where it fails."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(program):
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A copy of the installed headers and library, away from the package."""
    prefix = tmp_path_factory.mktemp("elsewhere") / "prefix"
    try:
        folder = _library.include_dir().parent
    except nnp.NNPError as error:
        pytest.skip(str(error))
    for part in ("include", "lib"):
        shutil.copytree(folder / part, prefix / part)
    return prefix


@pytest.fixture(scope="module")
def built(installed, tmp_path_factory):
    """The folder of both examples, built by CMake with AddressSanitizer."""
    cmake, build = needed("cmake"), tmp_path_factory.mktemp("build")
    sanitize = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -g"
    flags = [
        f"-DCMAKE_{language}_FLAGS={sanitize} -Wall -Wextra -Werror" for language in ("C", "CXX")
    ]
    run(cmake, "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={installed}", *flags)
    run(cmake, "--build", build)
    return build


def wanted_box():
    """The box of the examples."""
    cells, a = 2, 5.43
    base = np.array(
        [
            *([0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]),
            *([0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]),
        ]
    )
    i = np.arange(8 * cells**3)
    cell = np.stack([i // 8 % cells, i // 8 // cells % cells, i // 8 // cells // cells], 1)
    moved = 0.01 * ((7 * i[:, None] + 3 * np.arange(3)) % 11 - 5)
    positions = a * (cell + base[i % 8]) + moved
    return Structure(positions, np.full(len(i), 14), np.eye(3) * a * cells, True)


def assert_right(text):
    """An example's output against Python's numbers."""
    result = nnp.load(MODEL).evaluate(wanted_box(), "cpu")
    energy = float(re.search(r"^energy (\S+) eV$", text, re.MULTILINE)[1])
    forces = np.array([line.split()[1:4] for line in text.splitlines()[1:]], float)
    assert energy == pytest.approx(result.energy, abs=1e-9)
    np.testing.assert_allclose(forces, result.forces, rtol=0, atol=2e-12)


@pytest.mark.slow
@pytest.mark.parametrize("example", ["energy", "domain"])
def test_examples_built_by_cmake(built, example):
    assert_right(run(built / example, MODEL, env=ENVIRONMENT))


@pytest.mark.slow
@pytest.mark.parametrize("example", ["energy", "domain"])
def test_examples_name_what_is_wrong(built, example, tmp_path):
    (tmp_path / "text.nnp").write_text("no model")
    for path, message in (
        (tmp_path / "nothing.nnp", "cannot open .*nothing.nnp"),
        (tmp_path / "text.nnp", "not a complete nnp model file"),
    ):
        done = subprocess.run(
            [built / example, path], capture_output=True, text=True, check=False, env=ENVIRONMENT
        )
        assert done.returncode == 1
        assert re.search(f"error.*{message}", done.stderr)


@pytest.mark.slow
def test_pkg_config_and_valgrind(installed, tmp_path):
    """Without CMake; no leak, no read beyond an end."""
    compiler, valgrind, pkg_config = map(needed, ("cc", "valgrind", "pkg-config"))
    environment = os.environ | {"PKG_CONFIG_PATH": str(installed / "lib" / "pkgconfig")}
    flags = run(pkg_config, "--cflags", "--libs", "nnp", env=environment).split()
    folder = run(pkg_config, "--variable=libdir", "nnp", env=environment).strip()
    program = tmp_path / "energy"
    source = EXAMPLES / "energy.c"
    run(compiler, "-std=c99", "-g", source, *flags, f"-Wl,-rpath,{folder}", "-o", program)
    assert_right(run(program, MODEL))
    check = [valgrind, "-q", "--leak-check=full", "--error-exitcode=9"]
    done = subprocess.run(
        [*check, program, tmp_path / "nothing.nnp"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr  # its own error, none of valgrind's
    run(*check, program, MODEL)


@pytest.mark.slow
def test_the_header_alone_is_c_and_cxx(installed, tmp_path):
    for compiler, suffix, standard in (("cc", "c", "c99"), ("c++", "cpp", "c++11")):
        source = tmp_path / f"alone.{suffix}"
        source.write_text(
            '#include "nnp.h"\nint main(void) { return nnp_version() != NNP_VERSION; }\n'
        )
        flags = ["-pedantic", "-Wall", "-Wextra", "-Werror", f"-std={standard}"]
        run(
            needed(compiler),
            *flags,
            "-I",
            installed / "include",
            "-c",
            source,
            "-o",
            tmp_path / "o",
        )


def test_the_command_says_where(capfd):
    from nnp.cli import main

    for option, function in (("--include-dir", "include_dir"), ("--cmake-dir", "cmake_dir")):
        assert main([option]) == 0
        assert capfd.readouterr().out.strip() == str(getattr(_library, function)())


def test_nothing_but_the_interface_is_visible():
    """n2p2 has a namespace nnp too."""
    text = run(needed("nm"), "-D", "--defined-only", _library.library_path())
    names = [line.split()[-1] for line in text.splitlines()]
    ours = [name for name in names if name.startswith("nnp_")]
    assert len(ours) > 30
    assert [name for name in names if "3nnp" in name] == []


@pytest.mark.slow
def test_install_by_cmake(tmp_path):
    """``cmake --install`` gives the same tree without Python, and find_package finds it."""
    cmake = needed("cmake")
    run(cmake, "-S", ROOT, "-B", tmp_path / "b", "-DNNP_ALL_TARGETS=OFF", "-DNNP_PLUGIN=OFF")
    run(cmake, "--build", tmp_path / "b", "-j2")
    run(cmake, "--install", tmp_path / "b", "--prefix", tmp_path / "usr")
    examples = tmp_path / "examples"
    run(cmake, "-S", EXAMPLES, "-B", examples, f"-DCMAKE_PREFIX_PATH={tmp_path / 'usr'}")
    run(cmake, "--build", examples)
    assert_right(run(examples / "energy", MODEL))


@pytest.mark.slow
def test_threads_under_thread_sanitizer(tmp_path):
    """A model that many threads share, engines with threads of their own: no race."""
    cmake, compiler = needed("cmake"), needed("c++")
    options = ["-DNNP_SANITIZE=thread", "-DNNP_ALL_TARGETS=OFF", "-DNNP_PLUGIN=OFF"]
    run(cmake, "-S", ROOT, "-B", tmp_path / "b", *options)
    run(cmake, "--build", tmp_path / "b", "-j2", "--target", "nnp")
    library = tmp_path / "b" / "kernels"
    program, source = tmp_path / "threads", Path(__file__).parent / "c" / "threads.cpp"
    flags = ["-std=c++17", "-fsanitize=thread", "-g", "-I", ROOT / "kernels" / "include"]
    link = ["-L", library, "-l:libnnp.so.3", f"-Wl,-rpath,{library}", "-o", program]
    run(compiler, *flags, source, *link)
    # its shadow memory and the kernel's randomised addresses do not always agree
    fixed = [shutil.which("setarch"), platform.machine(), "-R"] if shutil.which("setarch") else []
    environment = os.environ | {"TSAN_OPTIONS": "halt_on_error=1"}
    assert run(*fixed, program, MODEL, env=environment) == "0 failures\n"


OPEN_IN_C = """
import ctypes, pathlib, sys
package = pathlib.Path(sys.argv[1]) / "nnp"
library = ctypes.CDLL(str(package / "lib/libnnp.so.3"))
model, error = ctypes.c_void_p(), ctypes.create_string_buffer(2048)
path = str(package / "data/silicon_sw.nnp").encode()
code = library.nnp_model_open(path, ctypes.byref(model), error)
library.nnp_model_cutoff.restype = ctypes.c_double
print(code, library.nnp_model_cutoff(model))
"""
OPEN_IN_PYTHON = "import nnp, sys; print(nnp.load(sys.argv[1] + '/nnp/data/silicon_sw.nnp').cutoff)"


def build_wheel(folder):
    """The wheel to give away, from the sdist, where the tools for it are there; else as built."""
    options = ["-C", "cmake.define.NNP_ALL_TARGETS=OFF", "-C", "cmake.define.NNP_PLUGIN=OFF"]
    tools = all(map(importlib.util.find_spec, ("build", "auditwheel"))) and shutil.which("patchelf")
    if importlib.util.find_spec("scikit_build_core"):
        options.append("--no-isolation" if tools else "--no-build-isolation")
    if tools:
        run(ROOT / ".ci" / "wheel", folder, *options)
        kind = r"manylinux_\d+_\d+_\w+"
    else:
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, *options, ROOT)
        kind = r"\w+"
    (wheel,) = folder.glob("nnp_md-*.whl")
    assert re.fullmatch(rf"nnp_md-[\d.]+-py3-none-{kind}\.whl", wheel.name)
    return wheel


@pytest.mark.slow
def test_a_wheel_for_every_python(tmp_path):
    """Built once, each Python's own pip takes it, and its library opens a model there."""
    wheel, pythons = build_wheel(tmp_path), other_pythons()
    tag = re.search(r"manylinux_2_(\d+)", wheel.name)
    if tag and platform.libc_ver()[1] <= "2.36":
        assert int(tag[1]) <= 34  # RHEL 9; pthread's symbols of newer builders cannot be older
    for number, python in enumerate([sys.executable, *pythons]):
        folder = tmp_path / str(number)
        install = ["-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps"]
        run(python, *install, "--target", folder, wheel)
        environment = os.environ | {"PYTHONPATH": str(folder)}
        assert run(python, "-c", OPEN_IN_C, folder) == f"0 {nnp.load(MODEL).cutoff}\n"
        if has_dependencies(python):
            found = run(python, "-c", OPEN_IN_PYTHON, folder, env=environment)
            assert float(found) == nnp.load(MODEL).cutoff
    if not pythons:
        pytest.skip("there is one Python only: the wheel was not tried in another")


def other_pythons():
    """Interpreters of other minor versions from 3.11, wherever PATH or pyenv have them."""
    own, found = sys.version_info[:2], {}
    folders = os.environ.get("PATH", "").split(os.pathsep)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(map(str, pyenv.glob("versions/*/bin")))
    for minor in range(11, 16):
        candidates = (Path(folder) / f"python3.{minor}" for folder in folders)
        first = next((c for c in candidates if c.is_file() and runs(c, minor)), None)
        if first is not None and (3, minor) != own:
            found[minor] = first
    return list(found.values())


def runs(python, minor):
    command = [python, "-c", "import sys, ctypes, pip; print(sys.version_info[1])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == str(minor)


def has_dependencies(python):
    command = [python, "-c", "import numpy, ase, vesin, tqdm, scipy, threadpoolctl"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
