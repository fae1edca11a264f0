"""Every study runs in its quick mode, and its numbers are what physics allows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[1] / "examples" / "studies"

# Script → number of results.json ("a > b" goes into a table) → what it must lie between.
BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "argon": {
        "energy RMSE / meV/atom": (0.0, 0.5),
        "force RMS / meV/Å": (30.0, 50.0),
        "force RMSE / meV/Å": (0.05, 8.0),
        "drift / meV/atom/ps, network": (-0.005, 0.005),
        "temperature / K, network": (40.0, 70.0),
        "highest g(r)": (4.0, 7.0),
    },
    "graphene": {
        "functions > 1 + 18, tanh > dynamics > energy MAE / meV/atom": (0.0, 50.0),
        "structures > 12 > dynamics > force MAE / eV/Å": (0.0, 1.0),
        "structures > 12 > fit > functions": (20, 150),
    },
    "hydrogen": {
        "functions > linear > 1 > 0": (350.0, 600.0),
        "functions > linear > 8 > 0": (30.0, 300.0),
        "functions > tanh, 8 neurons > 3 > 0": (0.05, 80.0),
        "neurons, 1 function > tanh > 1 > 0": (150.0, 600.0),
        "neurons, 1 function > tanh > 4 > 0": (0.1, 100.0),
    },
    "lennard_jones": {
        "pair > energy RMSE / meV": (0.0, 1.0),
        "pair > slope RMSE / meV/Å": (0.0, 10.0),
        "pair > energy, engines − training / meV": (0.0, 1e-9),
        "pair > slope, engines − training / meV/Å": (0.0, 1e-9),
        "many > spread / meV": (14.0, 18.0),
        "many > energy RMSE / meV > 12 radial functions > 1": (0.5, 5.0),
        "many > energy RMSE / meV > 20 distances > 1": (8.0, 40.0),
        "direct > forces as gradient > change of total energy, largest / meV": (0.0, 0.05),
        "direct > forces as outputs > change of total energy, median / meV": (0.1, 1e9),
    },
    "local_frame": {
        "path > Stillinger-Weber > jumps above 1 meV": (0, 0),
        "path > Behler > jumps above 1 meV": (0, 0),
        "path > moments > jumps above 1 meV": (0, 0),
        "path > local frame > jumps above 1 meV": (3, 40),
        "path > local frame, smooth r_c > largest jump of the energy / meV": (1.0, 1e4),
        "fits > moments > mirror image / meV/atom": (0.0, 1e-9),
        "fits > local frame > mirror image / meV/atom": (0.01, 1e3),
    },
    "repulsion": {
        "runs > crystal, without > collision, 0 Å aside > nearest / Å": (0.0, 0.6),
        "runs > crystal, with ZBL > collision, 0 Å aside > nearest / Å": (1.0, 1.5),
        "runs > crystal, with ZBL > collision, 0 Å aside > survived": (1, 1),
        "runs > crystal and melt, with ZBL > collision, 0 Å aside > survived": (1, 1),
        "runs > crystal and melt, with ZBL > melt, 3000 K > survived": (1, 1),
        "runs > Stillinger-Weber > collision, 0 Å aside > nearest / Å": (1.2, 1.4),
        "runs > Stillinger-Weber > melt, 3000 K > nearest / Å": (1.7, 2.2),
    },
    "silica": {
        "beside LAMMPS > Vashishta > energy / eV/atom": (0.0, 1e-6),
        "beside LAMMPS > Stillinger-Weber > largest force / eV/Å": (0.0, 1e-10),
        "agreement > quartz > O-Si": (0.8, 1.0),
    },
    "silicon_2007": {"training structures": (105, 115), "test structures": (10, 12)},
    "silicon": {
        "statics > network > lattice constant": (5.40, 5.46),
        "statics > network > bulk modulus": (85.0, 120.0),
        "statics > network > phonons > X > 0": (5.0, 8.0),
        "statics > Stillinger-Weber > C44": (56.0, 57.0),
        "dynamics > network > heat capacity / kB": (2.5, 3.5),
        # Six epochs on 34 structures: 0.2 on one machine; the forces are of 1 eV/Å
        "sizes > 0 > force RMSE / eV/Å": (0.0, 0.5),
    },
    "materials": {
        "graphene > sets > MD only > scan RMSE": (30.0, 1e5),
        "graphene > sets > augmented > scan RMSE": (0.1, 25.0),
        "graphene > sets > augmented > scaled > forces > pearson": (0.85, 1.0),
        "graphene > optimisers > Levenberg-Marquardt > test_force > 0": (0.05, 0.9),
        "graphene > optimisers > gradient descent > test_force > 0": (0.9, 1e9),
    },
    # A factor of ten or more between them, so that no neighbour on the machine matters
    "speed": {
        "networks / µs per atom > 0 > CPU engine": (1.0, 1e4),
        "potentials / µs per atom > 1 > CPU engine": (0.5, 200.0),
        "potentials / µs per atom > 1 > torch eager": (100.0, 1e6),
    },
    "tio2": {
        "test errors > published > 0 > energy MAE / meV/atom": (0.5, 20.0),
        "test errors > moments > 0 > epochs": (1, 1),
        "test errors > Chebyshev > 0 > functions": (40, 60),
        "test errors > moments > 0 > force MAE / eV/Å": (0.0, 5.0),
    },
    "uncertainty": {
        "first above > trained at 300 K > disagreement 0.1 eV/Å": (305.0, 600.0),
        "heating > trained at 300 K > correlation of logarithms before": (0.3, 1.0),
        "heating > trained at 300 K > largest error": (0.1, 1e9),
        "rounds > disagreement > 0 > 1 > labels": (7.0, 11.0),
        "needed > disagreement > test error": (0.03, 0.3),
    },
}


def run(name, folder, **environment):
    command = [sys.executable, str(STUDIES / f"{name}.py"), "--output", str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def number(results, name):
    for key in name.split(" > "):
        results = results[int(key) if isinstance(results, list) else key]
    return results


def test_no_study_is_left_out():
    scripts = {path.stem for path in STUDIES.glob("*.py")} - {"frame"}
    assert scripts == set(BOUNDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_quick_mode(name, tmp_path):
    finished = run(name, tmp_path)
    assert finished.returncode == 0, finished.stderr
    record = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert record["mode"] == "quick"
    assert list(tmp_path.glob("*.png"))
    for key, (least, most) in BOUNDS[name].items():
        assert least <= number(record["numbers"], key) <= most, key


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_a_missing_package_is_one_sentence(name, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\")")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    finished = run(name, tmp_path / "results", PYTHONPATH=path)
    assert finished.returncode == 1
    assert "torch" in finished.stderr.splitlines()[-1]
    assert "pip install" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "results" / "results.json").exists()


@pytest.mark.parametrize("name", BOUNDS)
def test_page_shows_what_the_full_mode_made(name):
    page = (STUDIES.parents[1] / "docs" / "studies" / f"{name}.md").read_text(encoding="utf-8")
    folder = STUDIES.parents[1] / "docs" / "studies" / name
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert record["mode"] == "full"
    pictures = list(folder.glob("*.png"))
    assert pictures
    for picture in pictures:
        assert f"{name}/{picture.name}" in page
    assert f"python examples/studies/{name}.py --full" in page
