"""Running another program with everything it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_GRACE = 5.0  # s between asking to end and ending


def run_program(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], time_limit: float
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder; what it prints is captured.

    It gets a process group of its own: a launcher such as mpirun that is merely killed leaves its
    processes behind, which would run on beside the next measurement. Not a session of its own, for
    Linux shares out processors by session: at a busy machine it would have another share than we.

    Args:
        words: the program and its arguments.
        folder: where it runs.
        environment: its variables.
        time_limit: s.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer; nothing of it runs any more.
    """
    process = subprocess.Popen(  # noqa: S603
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=dict(environment),
        cwd=folder,
        process_group=0,
    )
    with process:
        try:
            out, complaints = process.communicate(timeout=time_limit)
        except BaseException:  # Ctrl-C too, which reaches only our own group
            _end(process)
            raise
    return subprocess.CompletedProcess(list(words), process.returncode, out, complaints)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask the group to end, so that a launcher tidies up on other machines too; then end it."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE)
