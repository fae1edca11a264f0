"""Every property of both models, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import J, kB, mol
from md_parts.dynamics import Run, run
from md_parts.models import Model
from tqdm import tqdm

from nnp.analysis import AnalysisSettings, Curve, Quantity
from nnp.analysis.rdf import TOTAL
from silicon_parts.crystal import elasticity, lattice_constant, phonons
from silicon_parts.learn import MELT_K, crystal

ROOM_K = 300.0
_STRUCTURE = AnalysisSettings(r_max=8.0, bin_width=0.04)
_GAS_CONSTANT = kB * mol / J  # J/(mol K)
_SHAKEN = 0.08  # Å, about the amplitude of vibrations at room temperature


@dataclass(frozen=True)
class Lengths:
    """How long the dynamics is.

    Attributes:
        cells: cubic cells along each edge.
        steps: of each run, 1 fs.
        melt_steps: of the melt at constant energy, whose diffusion takes longer.
        temperatures: of the crystal's energies, K.
        sizes: cubic cells along each edge, of the comparison over size.
    """

    cells: int
    steps: int
    melt_steps: int
    temperatures: tuple[float, ...]
    sizes: tuple[int, ...]


FULL = Lengths(3, 12_000, 36_000, (150.0, 300.0, 600.0, 900.0, 1200.0, 1500.0), (2, 3, 4, 6, 8, 10))
QUICK = Lengths(2, 600, 600, (300.0, 600.0), (2, 3))


def statics(model: Model) -> dict[str, Any]:
    """Lattice constant (Å), elasticity (GPa), phonons (THz)."""
    a = lattice_constant(model)
    return {"lattice constant": a, **elasticity(model, a), "phonons": phonons(model, a)}


@dataclass(frozen=True)
class Dynamics:
    """What the runs of one model gave.

    Attributes:
        rdf: by name of the state.
        energies: potential and kinetic energy per atom over temperature: (t, 3) of measured
            temperature (K), energy and its standard error (eV/atom).
        numbers: heat capacities (k_B per atom), diffusion (10⁻⁵ cm²/s) and drift (meV/atom/ns);
            None where a run is too short for them.
    """

    rdf: dict[str, Curve]
    energies: np.ndarray
    numbers: dict[str, Any]


def dynamics(model: Model, lengths: Lengths, folder: Path) -> Dynamics:
    """Crystal over temperature, melt, and both at constant energy."""
    atoms = crystal(lengths.cells)
    rows, states = [], {}
    with tqdm(total=len(lengths.temperatures) + 3, desc=model.name, unit="run") as bar:

        def made(
            start: Atoms, name: str, temperature: float | None = None, steps: int = lengths.steps
        ) -> Run:
            finished = run(model, start, name, folder, steps, temperature, _STRUCTURE)
            bar.update()
            return finished

        for temperature in lengths.temperatures:
            states[temperature] = made(atoms, f"crystal-{temperature:g}", temperature)
            rows.append(_energy_per_atom(states[temperature], len(atoms)))
        room = states[ROOM_K]
        melt = made(atoms, "melt", MELT_K)
        melt_nve = made(melt.last, "melt-nve", steps=lengths.melt_steps)
        room_nve = made(room.last, "crystal-nve")
    capacity = room.told("heat capacity C_V")
    numbers = {
        "heat capacity / kB": float(heat_capacity(np.array(rows))),
        f"the same from fluctuations at {ROOM_K:g} K": _with_error(capacity, _GAS_CONSTANT),
        "melt diffusion": _with_error(melt_nve.told("diffusion Si")),
        "melt temperature of it": melt_nve.analysis["mean temperature"].value,
        "NVE drift": _with_error(room_nve.told("energy drift")),
        "ns/day": room_nve.ns_per_day,
    }
    states_shown = {f"{ROOM_K:g} K": room, f"{MELT_K:g} K": melt}
    rdf = {name: shown.analysis.curves["rdf"] for name, shown in states_shown.items()}
    return Dynamics(rdf, np.array(rows), numbers)


def _with_error(quantity: Quantity | None, unit: float = 1.0) -> list[float] | None:
    """Value and error in a unit of the quantity's."""
    return None if quantity is None else [quantity.value / unit, quantity.error / unit]


def _energy_per_atom(finished: Run, atoms: int) -> tuple[float, float, float]:
    energy = finished.analysis["mean total energy"]
    return finished.analysis["mean temperature"].value, energy.value / atoms, energy.error / atoms


def heat_capacity(energies: np.ndarray) -> float:
    """Slope of the total energy over temperature, per atom and in units of k_B."""
    return np.polyfit(energies[:, 0], energies[:, 1], 1)[0] / kB


def over_size(teacher: Model, network: Model, sizes: tuple[int, ...]) -> list[dict[str, float]]:
    """One potential from 64 atoms on: errors per atom do not grow with the system."""
    rows = []
    for cells in sizes:
        atoms = crystal(cells)
        atoms.rattle(_SHAKEN, seed=cells)
        found = {}
        for model in (teacher, network):
            atoms.calc = model.calculator()
            found[model.name] = atoms.get_potential_energy(), atoms.get_forces()
        (energy, forces), (learnt, learnt_forces) = found.values()
        rows.append(
            {
                "atoms": len(atoms),
                "energy error / meV/atom": 1000 * (learnt - energy) / len(atoms),
                "force RMSE / eV/Å": float(np.sqrt(np.mean((learnt_forces - forces) ** 2))),
            }
        )
    return rows


def rdf_differences(one: Dynamics, other: Dynamics) -> dict[str, dict[str, float]]:
    """Root mean square difference of the distributions, and what sampling alone would give."""
    found = {}
    for state, first in one.rdf.items():
        second = other.rdf[state]
        found[state] = {
            "difference": _rms(first.values[TOTAL] - second.values[TOTAL]),
            "noise": _rms(np.hypot(first.errors[TOTAL], second.errors[TOTAL])),
        }
    return found


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
