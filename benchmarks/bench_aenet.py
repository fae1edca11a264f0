"""The same .nn files in our CPU engine and in ænet's own predict.x, one core.

    export NNP_REFERENCE_DATA=… OMP_NUM_THREADS=1
    python benchmarks/bench_aenet.py path/to/predict.x --json benchmarks/results/aenet.json

predict.x (of ænet 2.0.4, gfortran -O3 -march=native) takes one structure, or several copies of it:
the difference in its processor time is what evaluations take, without start and potentials. Both
take turns; rates are of the median turn. Before the clock starts the forces are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms

import nnp
from nnp.bench import machine
from nnp.cli.table import text_table
from nnp.io.structures import read, write_structures
from nnp.neighbors import neighbor_list
from nnp.structure import as_structure

# Case of the reference data, and its structure of medium density.
CASES = {
    "Chebyshev 16/8 Å, 4/6.5 Å, 15-15": "tio2-cheb-15-15-legacy",
    "Chebyshev 20/6.5 Å, 6/5 Å, 5-5": "tio2-pytorch",
    "Behler 2011, 70 functions": "tio2-behler2011-trained",
}
_DIGITS = 2e-6  # eV/Å: predict.x prints six


def structure(folder: Path, least: int) -> Atoms:
    """The first periodic structure of a case, repeated until it has so many atoms."""
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    atoms: Atoms = read(folder / case["structures"][0]).frames[0]
    while len(atoms) < least:
        axis = int(np.argmin(atoms.cell.lengths()))
        atoms = atoms.repeat([2 if k == axis else 1 for k in range(3)])
    atoms.calc = None
    atoms.rattle(0.01, seed=1)
    return atoms


def predict(program: Path, folder: Path, files: dict[str, Path], copies: int) -> tuple[float, str]:
    """Processor seconds of predict.x over copies of a structure, and what it prints."""
    lines = ["TYPES", str(len(files)), *files, "NETWORKS"]
    lines += [f"{symbol} {symbol}.nn" for symbol in files]
    lines += ["FORCES", "FILES", str(copies), *["x.xsf"] * copies]
    (folder / "predict.in").write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(program), "predict.in"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def forces_of(text: str, n: int) -> np.ndarray:
    """(n, 3) as predict.x prints them."""
    rows = re.findall(r"^ *[A-Z][a-z]?((?: +-?\d+\.\d+){6}) *$", text, re.MULTILINE)
    return np.array([row.split() for row in rows[:n]], float)[:, 3:]


def measure(program: Path, case: Path, least: int, turns: int) -> dict[str, object]:
    """One case."""
    files = {path.stem: path for path in case.glob("*.nn")}
    # as 2.0.4 evaluates them all
    legacy = None if "behler" in case.name else False
    potential = nnp.load(list(files.values()), legacy_angle=legacy)
    atoms = structure(case, least)
    engines = {
        f"ours, {dtype}": potential.make_engine("cpu", dtype=dtype, threads=1)
        for dtype in ("float64", "float32")
    }
    seconds: dict[str, list[float]] = {name: [] for name in ("aenet", *engines)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for symbol, path in files.items():  # ænet takes short paths only
            shutil.copyfile(path, folder / f"{symbol}.nn")
        write_structures([atoms], folder / "x.xsf")
        written = read(folder / "x.xsf").frames[0]
        _, text = predict(program, folder, files, 1)
        found = engines["ours, float64"].compute(as_structure(written), True, False).forces
        apart = float(np.abs(found - forces_of(text, len(atoms))).max())
        if not apart < _DIGITS * max(1.0, float(np.abs(found).max())):
            raise SystemExit(f"{case.name}: forces are {apart:g} eV/Å apart")
        copies = 6
        for _ in range(turns):
            one, _ = predict(program, folder, files, 1)
            many, _ = predict(program, folder, files, 1 + copies)
            seconds["aenet"].append((many - one) / copies)
            for which, engine in engines.items():
                moved = as_structure(written)
                engine.compute(moved, True, False)
                before = time.process_time()
                for _ in range(copies):
                    engine.compute(moved, True, False)
                seconds[which].append((time.process_time() - before) / copies)
    micro = {n: 1e6 * statistics.median(s) / len(atoms) for n, s in seconds.items()}
    whole = as_structure(atoms)
    radii = sorted({round(f.radius, 6) for f in potential.models[0].functions})
    near = {f"{r:g} Å": len(neighbor_list(whole, r).i) / len(atoms) for r in (radii[0], radii[-1])}
    return {"atoms": len(atoms), "neighbours": near, "µs per atom": micro, "forces apart": apart}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path, help="predict.x")
    parser.add_argument("--atoms", type=int, default=300)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if "NNP_REFERENCE_DATA" not in os.environ:
        sys.exit("NNP_REFERENCE_DATA is unset: it names the folder that holds aenet/")
    root = Path(os.environ["NNP_REFERENCE_DATA"]) / "aenet"
    program = arguments.program.resolve()
    found = {
        name: measure(program, root / case, arguments.atoms, arguments.turns)
        for name, case in CASES.items()
    }
    rows = []
    for name, one in found.items():
        times = one["µs per atom"]
        rows.append([name, *(f"{t:.1f}" for t in times.values())])
        rows[-1] += [f"{times['aenet'] / t:.1f}" for n, t in times.items() if n != "aenet"]
    header = ["potential", "ænet µs/atom", "float64", "float32", "times faster", "float32"]
    print(text_table(header, rows))
    if arguments.json:
        own = [str(program.name) if a == str(arguments.program) else a for a in sys.argv]
        command = shlex.join(["python", *own])
        record = {"command": command, "machine": machine(), "results": found}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
