"""The log of a run: a CSV with one row per ``log_interval`` steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.geometry import cell_to_cellpar
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.files import reason
from nnp.md.files import AppendedFile
from nnp.md.snapshot import Snapshot
from nnp.units import BAR, U_PER_A3_IN_G_CM3

if TYPE_CHECKING:
    from nnp.openmm import OpenMMAtoms

_FIRST = (
    "step",
    "time_ps",
    "potential_energy_eV",
    "kinetic_energy_eV",
    "total_energy_eV",
    "temperature_K",
    "volume_A3",
    "density_g_cm3",
    "extrapolating_atoms",
    "worst_atom",
    "worst_function",
    "worst_excess_percent",
)
_STRESS = tuple(f"stress_{name}_bar" for name in ("xx", "yy", "zz", "yz", "xz", "xy"))
_CELL = ("cell_a_A", "cell_b_A", "cell_c_A", "cell_alpha_deg", "cell_beta_deg", "cell_gamma_deg")
_PACE = ("steps_per_s", "ns_per_day", "time_left_s")
# Later versions add at the end; a log that an earlier one began keeps the columns that it has.
COLUMNS = (
    *_FIRST,
    "segment",
    "conserved_energy_eV",
    "target_temperature_K",
    "target_pressure_bar",
    "pressure_bar",
    *_STRESS,
    *_CELL,
    "force_spread_eV_A",
    "barostat_acceptance",
    *_PACE,
)
# What depends on the machine and not on the run.
WALL_CLOCK = frozenset(_PACE)


@dataclass(frozen=True)
class Beside:
    """What a row holds of the run beside its state; None is an empty cell.

    Attributes:
        target_temperature: of the thermostat, K.
        target_pressure: of the barostat, bar.
        acceptance: share of the barostat's moves that succeeded.
        pace: steps per second, ns per day, seconds that are left.
    """

    target_temperature: float | None = None
    target_pressure: float | None = None
    acceptance: float | None = None
    pace: tuple[float | None, float | None, float | None] = (None, None, None)


class Log:
    """Writes rows, each complete on disk before the next step.

    Atoms are counted from 0 as in ASE, functions from 1 as in the table of ``nnp info``; the
    excess is in percent of the function's training range, negative below it. Cells that mean
    nothing (the volume of a molecule) are empty.

    Args:
        path: the file.
        start: the atoms.
        resume_at: size in bytes to which an existing file is cut before it is continued; None
            starts a new file.
    """

    def __init__(self, path: Path, start: OpenMMAtoms, resume_at: int | None = None) -> None:
        self._columns = COLUMNS if resume_at is None else _columns_of(path)
        self._file = AppendedFile(path, resume_at)
        self._start, self._mass = start, float(np.sum(start.masses))
        if resume_at is None:
            self._file.write((",".join(COLUMNS) + "\n").encode())

    def write(self, snapshot: Snapshot, beside: Beside) -> None:
        """Add a row."""
        cells = _cells(snapshot, self._mass) | _pressure_cells(snapshot) | _beside_cells(beside)
        cells |= _cell_cells(snapshot, self._start)
        self._file.write((",".join(cells[name] for name in self._columns) + "\n").encode())

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._file.size

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """The columns of a log; empty cells are NaN.

    Raises:
        FileFormatError: no such file, or not a log.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            names = file.readline().strip().split(",")
            lines = [line for line in file if line.endswith("\n")]  # a killed run may leave a part
        rows = [[float(cell or "nan") for cell in line.strip("\n").split(",")] for line in lines]
        table = np.array(rows, np.float64).reshape(len(rows), len(names))
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path} cannot be read as the log of a run: {reason(error)}"
        ) from None
    _require_known(names, path)
    return dict(zip(names, table.T, strict=True))


def _require_known(names: list[str], path: str | Path) -> None:
    if tuple(names[: len(_FIRST)]) != _FIRST or not set(names) <= set(COLUMNS):
        raise FileFormatError(f"{path} is not the log of a run: its first line is {names}")


def _columns_of(path: Path) -> tuple[str, ...]:
    """Of a log that is continued; a file too short for them is refused when it is opened."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline()
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path} cannot be read as the log of a run: {reason(error)}"
        ) from None
    if len(line) > len(",".join(_FIRST)):
        _require_known(line.strip().split(","), path)
        return tuple(line.strip().split(","))
    return COLUMNS


def _cells(snapshot: Snapshot, mass: float) -> dict[str, str]:
    potential, kinetic = snapshot.potential_energy, snapshot.kinetic_energy
    return {
        "step": str(snapshot.step),
        "time_ps": f"{snapshot.time_fs / 1000:.6f}",
        "potential_energy_eV": f"{potential:.9f}",
        "kinetic_energy_eV": f"{kinetic:.9f}",
        "total_energy_eV": f"{potential + kinetic:.9f}",
        "temperature_K": f"{snapshot.temperature:.4f}",
        "volume_A3": _cell(snapshot.volume, 4),
        "density_g_cm3": _cell(mass / snapshot.volume * U_PER_A3_IN_G_CM3, 6),
        "segment": str(snapshot.segment),
        "conserved_energy_eV": _cell(snapshot.conserved_energy, 9),
        "force_spread_eV_A": _cell(snapshot.force_spread, 6),
    } | _extrapolation_cells(snapshot)


def _extrapolation_cells(snapshot: Snapshot) -> dict[str, str]:
    found, values = snapshot.extrapolations, [""] * 4
    if found is not None:
        worst, values[0] = found.worst, "0"
        if worst is not None:
            excess = f"{100 * worst.relative:.3f}"
            values = [str(found.n_atoms), str(worst.atom), str(worst.function + 1), excess]
    return dict(zip(_FIRST[-4:], values, strict=True))


def _pressure_cells(snapshot: Snapshot) -> dict[str, str]:
    found = {"pressure_bar": _cell(snapshot.pressure / BAR, 3)}
    stress = [math.nan] * 6 if snapshot.stress is None else (snapshot.stress / BAR).tolist()
    return found | {name: _cell(value, 3) for name, value in zip(_STRESS, stress, strict=True)}


def _cell_cells(snapshot: Snapshot, start: OpenMMAtoms) -> dict[str, str]:
    if snapshot.box_nm is None:
        return dict.fromkeys(_CELL, "")
    lengths_and_angles = cell_to_cellpar(start.cell_of(snapshot.box_nm))  # type: ignore[no-untyped-call]
    return {name: f"{v:.6f}" for name, v in zip(_CELL, lengths_and_angles, strict=True)}


def _beside_cells(beside: Beside) -> dict[str, str]:
    found = {
        "target_temperature_K": _cell(beside.target_temperature, 4),
        "target_pressure_bar": _cell(beside.target_pressure, 4),
        "barostat_acceptance": _cell(beside.acceptance, 4),
    }
    return found | {n: _cell(v, 4) for n, v in zip(_PACE, beside.pace, strict=True)}


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
