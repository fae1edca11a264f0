"""What ``nnp md`` says at the end of a run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from nnp.cli.next_step import next_step
from nnp.cli.units_of import UNKNOWN_RANGES
from nnp.functions import describe
from nnp.md.frame_file import WITHOUT_ELEMENTS

# Fewer of the barostat's moves succeed: the box hardly changes.
_FEW = 0.05


def closing_lines(potential: Any, atoms: Any, outputs: Any, outcome: Any) -> list[str]:
    """Means of the second half, barostat, drift, extrapolations, and where the files are."""
    from nnp.md import read_log

    columns = read_log(outputs.log)
    return [
        f"mean temperature of the second half: {_mean(columns['temperature_K'])} K",
        *_pressure(columns),
        *_barostat(outcome.acceptance),
        *_drift(columns, len(atoms)),
        _extrapolations(potential, atoms, columns),
        f"log         {outputs.log}",
        *(f"trajectory  {file.path}" for file in outputs.frames),
        *_selected(outputs, outcome),
        *([f"topology    {outputs.topology}"] if outputs.needs_topology else []),
        f"last state  {outputs.final}",
        f"restart     {outputs.restart}",
    ]


def next_line(outputs: Any) -> str:
    """The command that analyses the run, with the names that it would not find itself."""
    path = outputs.with_everything or outputs.trajectory
    words = ["nnp", "analyse", str(path)]
    if outputs.log != path.with_suffix(".csv"):
        words += ["--log", str(outputs.log)]
    if path.suffix in WITHOUT_ELEMENTS and outputs.final != path.with_suffix(".final.extxyz"):
        words += ["--topology", str(outputs.final)]
    if Path("analysis").exists():
        words += ["--output", f"{path.stem}-analysis"]
    return next_step(words)


def _selected(outputs: Any, outcome: Any) -> list[str]:
    if not outcome.selected:
        return []
    folder = outputs.selected.with_suffix("")
    return [f"selected    {outputs.selected} ({outcome.selected}, POSCARs in {folder})"]


def _mean(values: Any) -> str:
    """Of the second half, with its standard error."""
    from nnp.metrics import block_average

    mean, error = block_average(values[len(values) // 2 :])
    return f"{mean:.1f}" if math.isnan(error) else f"{mean:.1f} ± {error:.1f}"


def _pressure(columns: dict[str, Any]) -> list[str]:
    pressures = columns.get("pressure_bar")
    if pressures is None or np.isnan(pressures).any():
        return []
    return [f"mean pressure of the second half: {_mean(pressures)} bar"]


def _barostat(acceptance: float | None) -> list[str]:
    if acceptance is None:
        return []
    few = "" if acceptance >= _FEW else ": the box hardly changes, take a longer run"
    return [f"barostat: {100 * acceptance:.0f} % of its moves succeeded{few}"]


def _drift(columns: dict[str, Any], n_atoms: int) -> list[str]:
    """Of what the ensemble conserves, by a line through it."""
    energies, times = columns.get("conserved_energy_eV"), columns["time_ps"]
    if energies is None or np.isnan(energies).any() or len(np.unique(times)) < 3:
        return []
    slope = np.polyfit(times, energies, 1)[0] / n_atoms
    return [f"drift of the conserved energy: {1e3 * slope:+.3g} meV per atom and ps"]


def _extrapolations(potential: Any, atoms: Any, columns: dict[str, Any]) -> str:
    """What the rows of the log say about atoms outside the training range."""
    counts = columns["extrapolating_atoms"]
    rows = np.flatnonzero(np.nan_to_num(counts))
    if not potential.knows_ranges:
        return UNKNOWN_RANGES
    if len(rows) == 0:
        return "no atom extrapolates in any row of the log"
    worst = rows[np.nanargmax(np.abs(columns["worst_excess_percent"][rows]))]
    atom, number = (int(columns[name][worst]) for name in ("worst_atom", "worst_function"))
    symbol = atoms.symbols[atom]
    model = next(model for model in potential.models if model.symbol == symbol)
    return (
        f"extrapolating in {len(rows)} of {len(counts)} rows, up to {np.nanmax(counts):.0f} atoms; "
        f"worst: step {int(columns['step'][worst])}, atom {atom} ({symbol}), function {number} "
        f"({describe(model.functions[number - 1])}) by "
        f"{columns['worst_excess_percent'][worst]:+.1f} % of its training range"
    )
