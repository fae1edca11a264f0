"""What was measured, and on what."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nnp.processor import usable_cores

_SECONDS_PER_DAY = 86400.0
_NANOSECOND = 1e6  # fs


@dataclass(frozen=True)
class Measurement:
    """One program, one structure.

    Attributes:
        subject: what was measured, such as ``"cpu float64, 2 threads"``.
        n_atoms: atoms in the box.
        steps: how many were timed: single steps, or blocks of ``details["block_steps"]``.
        rate: atom-steps per second, of the median.
        slow, fast: of the quartiles.
        best: of the fastest.
        details: of the engine, such as its instruction set and memory per atom; of a program, such
            as its version; ``processor_seconds`` of all threads per step, which other programs
            disturb less; ``timestep_fs``.
    """

    subject: str
    n_atoms: int
    steps: int
    rate: float
    slow: float
    fast: float
    best: float
    details: dict[str, Any]

    @property
    def ns_per_day(self) -> float | None:
        """Of the median; None where there is no time step in fs."""
        timestep = self.details.get("timestep_fs")
        if timestep is None:
            return None
        return float(timestep / _NANOSECOND * self.rate / self.n_atoms * _SECONDS_PER_DAY)


def from_times(
    subject: str, n_atoms: int, seconds: Iterable[float], details: dict[str, Any]
) -> Measurement:
    """A measurement from the seconds per step of single steps or of blocks."""
    times = np.array(list(seconds))
    quick, median, long = np.quantile(times, (0.25, 0.5, 0.75))
    return Measurement(
        subject,
        n_atoms,
        len(times),
        rate=float(n_atoms / median),
        slow=float(n_atoms / long),
        fast=float(n_atoms / quick),
        best=float(n_atoms / times.min()),
        details=details,
    )


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and with which commit of this repository."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def as_record(measurements: Sequence[Measurement], command: str) -> dict[str, Any]:
    """Measurements, machine and command, for a JSON file."""
    return {
        "command": command,
        "machine": machine(),
        "measurements": [asdict(measurement) for measurement in measurements],
    }
