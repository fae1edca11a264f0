"""Programs that pretend to be LAMMPS."""

from __future__ import annotations

import stat
import sys

# A LAMMPS that keeps its input, knows hdnnp and sw (and sw/omp), and counts time by steps. Its
# forces are ours, read from the files that a real one would read, in the axes of its data file.
FAKE = """#!{python}
import re, sys, pathlib
words = sys.argv[1:]
text = pathlib.Path(words[words.index("-in") + 1]).read_text()
keep = pathlib.Path({folder!r})
keep.joinpath("in").write_text(text)
keep.joinpath("words").write_text(" ".join(words))
atoms = int(re.search(r"(\\d+) *atoms", pathlib.Path(
    re.search(r'read_data "(.+)"', text)[1]).read_text())[1]) if "read_data" in text else 4
style = re.search(r"pair_style (\\S+)", text)[1]
print("LAMMPS (1 Jan 2030)")
if style == "hdnnp":
    path = pathlib.Path(re.search(r'dir "(\\S+)"', text)[1])
    names = sorted(file.name for file in path.iterdir())
    keep.joinpath("names").write_text(" ".join(names))
if "write_dump" in text:
    sys.path[:] = {path!r}
    import ase.io
    import nnp
    box = ase.io.read(re.search(r'read_data "(.+)"', text)[1], format="lammps-data")
    box.pbc = "boundary p p p" in text
    found = nnp.load(path, "atomic" if "cflength 1.8" in text else "metal").evaluate(box)
    print("NNP-ENERGY", found.energy * {factor})
    table = "".join(f"{{n + 1}} {{x}} {{y}} {{z}}\\n" for n, (x, y, z) in enumerate(found.forces))
    pathlib.Path("forces.dump").write_text("\\n" * 9 + table)
if style == "snap":
    print("ERROR: Unrecognized pair style 'snap' is part of the ML-SNAP package "
          "which is not enabled in this LAMMPS binary. (src/force.cpp:275)")
    sys.exit(1)
if style == "lj/cut":
    print("ERROR on proc 0: Lost atoms: original 4 current 3 (src/thermo.cpp:494)")
    sys.exit(1)
ran = style + ("/omp" if "-sf" in words and style == "sw" else "")
print(f"  (1) pair {{ran}}, perpetual")
for steps in re.findall(r"^run (\\d+)", text, re.M):
    print(f"Loop time of {{0.25 * int(steps)}} on 2 procs for {{steps}} steps with {{atoms}} atoms")
    print("50.0% CPU use with 1 MPI tasks x 2 OpenMP threads")
"""


def stand_in(folder, factor=1.0):
    names = {"python": sys.executable, "folder": str(folder), "path": sys.path, "factor": factor}
    return program(folder, FAKE.format(**names))


def program(folder, text):
    path = folder / "lmp"
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
