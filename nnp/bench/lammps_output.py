"""What LAMMPS prints: loop times, energies, errors."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError, UnavailableError

_LOOP = re.compile(
    r"^Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms", re.MULTILINE
)
_BUSY = re.compile(r"^([\d.]+)% CPU use with (\d+) MPI tasks", re.MULTILINE)
_VERSION = re.compile(r"^LAMMPS \((.+?)\)", re.MULTILINE)
_PAIR = re.compile(r"^\s*\(\d+\) pair (\S+?),", re.MULTILINE)
_ERROR = re.compile(r"^ERROR[^:]*: (.*?)\s*(?:\(\S+\.\w+:\d+\))?$", re.MULTILINE)
# Of a library in it, such as n2p2, caught by LAMMPS or by nobody.
_EXCEPTION = re.compile(r"^\s*(?:what\(\)|Exception): +(?:ERROR: )?(.*?)\s*$", re.MULTILINE)
_ENERGY = re.compile(r"^NNP-ENERGY (\S+)", re.MULTILINE)
# Of a style, and of the packages behind the suffixes: "… without GPU package installed".
_NOT_BUILT = re.compile(r"Unrecognized pair style|without \w+ (package )?installed", re.IGNORECASE)

_DUMP, _DUMP_HEADER = "forces.dump", 9
FORCES = f"""
run 0
print "NNP-ENERGY $(pe:%.17g)"
write_dump all custom {_DUMP} id fx fy fz modify sort id format float %.17g
"""


@dataclass(frozen=True)
class LammpsRun:
    """What LAMMPS printed.

    Attributes:
        version: of LAMMPS, such as ``"22 Jul 2025 - Update 4"``.
        style: the pair style that ran, with its suffix; empty where LAMMPS does not say.
        seconds: per step, of each ``run`` after the first.
        processor_seconds: per step, of all processes and threads.
        processes: MPI tasks times threads, as LAMMPS counts.
        n_atoms: atoms.
    """

    version: str
    style: str
    seconds: list[float]
    processor_seconds: list[float]
    processes: int
    n_atoms: int


def read_times(done: subprocess.CompletedProcess[str], command: str) -> LammpsRun:
    """The times of a script with two ``run`` or more.

    Raises:
        UnavailableError, NNPError: it did not get so far; the message says what LAMMPS said.
    """
    loops = _LOOP.findall(done.stdout)
    if done.returncode or len(loops) < 2:
        raise failure(done, command)
    busy = _BUSY.findall(done.stdout) or [("100", "1")] * len(loops)
    seconds = [float(time) / int(steps) for time, _, steps, _ in loops]
    share = [float(percent) / 100 * int(tasks) for percent, tasks in busy]
    version, pair = _VERSION.search(done.stdout), _PAIR.search(done.stdout)
    return LammpsRun(
        version[1] if version else "unknown",
        pair[1] if pair else "",
        seconds[1:],
        [s * b for s, b in zip(seconds, share, strict=False)][1:],
        int(loops[-1][1]),
        int(loops[-1][3]),
    )


def read_forces(
    done: subprocess.CompletedProcess[str], folder: Path, command: str
) -> tuple[float, NDArray[np.float64]]:
    """Energy and forces, shape (n, 3), of a script that ends with `FORCES`; LAMMPS's units.

    Raises:
        UnavailableError, NNPError: as `read_times`.
    """
    energy = _ENERGY.search(done.stdout)
    if done.returncode or energy is None:
        raise failure(done, command)
    try:
        lines = (folder / _DUMP).read_text(encoding="utf-8").splitlines()[_DUMP_HEADER:]
        forces = np.array([line.split()[1:] for line in lines], np.float64).reshape(-1, 3)
        return float(energy[1]), forces
    except (OSError, ValueError) as error:
        raise NNPError(f"{command}: LAMMPS's forces cannot be read ({error})") from None


def failure(done: subprocess.CompletedProcess[str], command: str) -> NNPError:
    """What went wrong, in one line: LAMMPS's own, a library's in it, or the system's."""
    text = f"{done.stdout}\n{done.stderr}"
    complaint = _ERROR.search(text) or _EXCEPTION.search(text)
    if complaint is not None and _NOT_BUILT.search(complaint[1]):
        return UnavailableError(f"{command}: this LAMMPS was built without it")
    if complaint is not None:
        return NNPError(f"{command}: LAMMPS stopped ({complaint[1]})")
    said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
    reason = said[-1].strip()
    if done.returncode < 0:
        reason = f"killed by {signal.Signals(-done.returncode).name}; {reason}"
    if _VERSION.search(done.stdout):
        return NNPError(f"{command}: LAMMPS stopped ({reason})")
    return UnavailableError(f"{command}: LAMMPS does not run here ({reason})")
