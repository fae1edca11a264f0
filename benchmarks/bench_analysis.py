"""What `nnp analyse` costs: time and memory over the number of frames, in processes of their own.

    python benchmarks/bench_analysis.py [atoms] [frames] [results.json]

The trajectory is silicon in extxyz with momenta, energy and forces, as `nnp md` writes it; a
hundred frames come again and again with later times, which are read and counted as new ones. A
tenth of the frames is analysed first: memory must not grow from there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.bench import machine
from nnp.io.structures import extxyz_bytes

DIFFERENT = 100  # frames
FRAME_FS = 10.0
TIME = b"time_fs=-1.0"


def frames_of_silicon(atoms_wanted: int) -> list[bytes]:
    """Different frames; each says its time as ``TIME``."""
    repeats = round((atoms_wanted / 8) ** (1 / 3))
    crystal, rng = bulk("Si", cubic=True) * ((repeats,) * 3), np.random.default_rng(1)
    found = []
    for _ in range(DIFFERENT):
        atoms: Any = crystal.copy()
        atoms.positions += rng.normal(scale=0.1, size=atoms.positions.shape)
        atoms.set_momenta(rng.normal(size=atoms.positions.shape))
        forces = rng.normal(size=atoms.positions.shape)
        atoms.calc = SinglePointCalculator(atoms, energy=rng.normal(), forces=forces)
        atoms.info["time_fs"] = -1.0
        found.append(extxyz_bytes(atoms))
        if found[-1].count(TIME) != 1:
            raise SystemExit(f"a frame does not hold {TIME!r} once")
    return found


def write(path: Path, frames: list[bytes], count: int) -> None:
    """A trajectory of so many frames."""
    with path.open("wb") as file:
        for number in range(count):
            said = f"time_fs={FRAME_FS * number:.1f}".encode()
            file.write(frames[number % DIFFERENT].replace(TIME, said, 1))


def analysed(path: Path) -> dict[str, float]:
    """Seconds of processor and clock, and the largest memory of the command."""
    words = [sys.executable, "-m", "nnp", "analyse", str(path), "--skip", "0", "--force"]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*words, "--output", str(path.parent / "analysis")], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"nnp analyse ended with {process.returncode}")
    return {
        "processor s": used.ru_utime + used.ru_stime,
        "clock s": time.perf_counter() - begin,
        "largest memory MiB": used.ru_maxrss / 1024,
    }


def main() -> None:
    """Measure a tenth, and all."""
    words = sys.argv[1:]
    atoms, count = (int(word) for word in (words + ["1000", "10000"][len(words) :])[:2])
    frames = frames_of_silicon(atoms)
    found: dict[str, Any] = {"bytes per frame": len(frames[0]), "frames": {}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "md.extxyz"
        for number in (count // 10, count):
            write(path, frames, number)
            found["frames"][str(number)] = analysed(path)
            print(number, "frames:", found["frames"][str(number)], flush=True)
    if len(words) > 2:
        command = f"python benchmarks/bench_analysis.py {atoms} {count}"
        content = {"command": command, "machine": machine(), "atoms": atoms, **found}
        Path(words[2]).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
