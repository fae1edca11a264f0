"""``pair_style nnp`` refuses bad input in one message, and no rank waits for another for ever."""

import re
from dataclasses import replace

import numpy as np
import pytest
from lammps_nnp import job, run_input, run_jobs

from nnp.io.lammps import system_script, write_data
from nnp.testing import random_structure

ELEMENTS = ("H", "O")


@pytest.fixture(scope="module")
def model(binary, tmp_path_factory):
    path = tmp_path_factory.mktemp("lammps") / "binary.nnp"
    binary.save(path)
    return path


@pytest.fixture(scope="module")
def structure():
    return random_structure(ELEMENTS, 40, 3)


# Commands: what the message says.
STYLES = {
    "nnp float16|* * {m} H O": r"does not know 'float16' here: pair_style nnp",
    "nnp threads|* * {m} H O": r"expects a number after 'threads'",
    "nnp threads 0|* * {m} H O": r"threads 0 is less than 1",
    "nnp every x|* * {m} H O": r"Expected integer .* 'x'",
    "nnp show perhaps|* * {m} H O": r"boolean .*'perhaps'",
    "nnp|* * {m} H": r"elements after .*binary.nnp: 1 given, 2 expected",
    "nnp|* * {m} H O O": r"elements after .*: 3 given, 2 expected",
    "nnp|1 2 {m} H O": r"(?i)pair_coeff( must start with)? \* \*",
    "nnp|* * {m} H C": r"atom type 2 is to be C, but .*binary.nnp has only H, O",
    "nnp|* * {m} H o": r"atom type 2 is to be o, but",
    "nnp|* * {m} NULL NULL": r"all elements are NULL",
    "nnp|* * {m} H NULL": r"pair coeffs are not set|not both in pair_coeff",
    "nnp|* * nowhere.nnp H O": r"nowhere.nnp: No such file or directory",
    "nnp|* * {d} H O": r"folder; .*convert n2p2's once, by 'nnp convert",
    "nnp|* * {t} H O": r"text.nnp: ",
    "nnp|* * {cut} H O": r"cut.nnp: ",
}


def test_wrong_commands(model, structure, tmp_path):
    (tmp_path / "text.nnp").write_text("not a model")
    (tmp_path / "cut.nnp").write_bytes(model.read_bytes()[:-1000])
    names = {"m": model, "d": tmp_path, "t": tmp_path / "text.nnp", "cut": tmp_path / "cut.nnp"}
    jobs = []
    for text in STYLES:
        style, coefficients = text.format(**names).split("|")
        pair = f"pair_style {style}\npair_coeff {coefficients}"
        jobs.append(job(structure, model, ELEMENTS, pair=pair))
    for (text, message), result in zip(STYLES.items(), run_jobs(jobs, tmp_path), strict=True):
        assert "error" in result, text
        assert re.search(message, result["error"]), (text, result["error"])


def run(structure, model, folder, ranks, after="", units="metal"):
    write_data(structure, ELEMENTS, folder / "start.data")
    script = system_script(structure, "start.data", open_boundary="f").replace("metal", units)
    script += (
        f"pair_style nnp\npair_coeff * * {model} H O\n{after}\nthermo 1\nfix 1 all nve\nrun 3\n"
    )
    for _ in range(5):
        done = run_input(script, folder, ranks)
        assert done.returncode != 0
        # Where one rank aborts, mpiexec may lose what another has just printed: LAMMPS's way.
        if "ERROR" in done.stdout + done.stderr:
            break
    return done.stdout + done.stderr


def told(pattern, attempt, tries=5):
    """What an aborting rank printed last may be lost by mpiexec: every try ends, one must tell."""
    texts = []
    for _ in range(tries):
        texts.append(attempt())
        if re.search(pattern, texts[-1]):
            return
    raise AssertionError(f"{pattern!r} in none of {tries} runs: {texts[-1][-800:]}")


@pytest.mark.parametrize("ranks", [1, 3])
def test_errors_end_all_ranks(model, structure, tmp_path, ranks):
    """The program ends with the message: what only one rank sees ends the others too."""
    positions = structure.positions.copy()
    positions[7] = positions[3]
    at_one_place = replace(structure, positions=positions)
    told(
        r"step 0: atoms (4 and 8|8 and 4) are in the same place \(0 apart\)",
        lambda: run(at_one_place, model, tmp_path, ranks),
    )
    told(
        r"nowhere\.nnp: No such file or directory",
        lambda: run(structure, tmp_path / "nowhere.nnp", tmp_path, ranks),
    )
    told(  # 1 ns a step: the atoms fly apart
        r"Lost atoms|Non-numeric|not a number|not a finite|in the same place|inconsistent",
        lambda: run(structure, model, tmp_path, ranks, "velocity all create 1e9 1\ntimestep 1000"),
    )


@pytest.mark.parametrize("ranks", [2])
def test_what_lammps_refuses(model, structure, tmp_path, ranks):
    """Its own messages: lost atoms, a box too small for its communication, units it has not."""
    moved = structure.positions.copy()
    open_box = replace(structure, pbc=np.array([True, True, False]))
    write_data(open_box, ELEMENTS, tmp_path / "start.data")
    text = run(
        open_box, model, tmp_path, ranks, "group one id 1\nvelocity one set NULL NULL 1e5 units box"
    )
    assert "Lost atoms" in text, text[-800:]
    small = replace(structure, positions=moved * 0.3, cell=structure.cell * 0.3)
    text = run(small, model, tmp_path, ranks, "comm_style tiled")
    assert "cutoff" in text.lower(), text[-800:]
    text = run(structure, model, tmp_path, ranks, units="furlong")
    assert "units" in text.lower()


def test_a_plugin_without_libnnp_says_so(model, structure, tmp_path):
    """Copied elsewhere, or the package nnp removed: what it looked for, and what to do."""
    import shutil

    from nnp.bench.lammps_plugin import find_plugin

    write_data(structure, ELEMENTS, tmp_path / "start.data")
    folder = tmp_path / "plugins"
    folder.mkdir()
    if find_plugin() is None:
        pytest.skip("nnp-lammps is not installed: pip install ./lammps")
    shutil.copy(find_plugin(), folder)
    script = system_script(structure, "start.data")
    script += f"pair_style nnp\npair_coeff * * {model} H O\n"
    lost = {"LAMMPS_PLUGIN_PATH": str(folder), "NNP_LIBRARY": str(tmp_path / "libnnp.so.3")}
    done = run_input(script, tmp_path, extra_environment=lost)
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "libnnp does not load" in text
    assert "NNP_LIBRARY" in text
