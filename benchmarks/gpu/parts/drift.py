"""Drift of the energy in NVE, in every precision: velocity Verlet on the device's forces."""

from __future__ import annotations

from typing import Any

import ase.units
import numpy as np
from ase.data import atomic_masses
from subjects import box_of, dtypes_of, options_of, potential_of

TIMESTEP_FS, TEMPERATURE = 0.5, 300.0
LIMIT = 1e-5  # eV per atom and ps, of a straight line through the total energy


def main() -> None:
    """One row per precision."""
    options, result = options_of(__doc__)
    potential, result["potential"] = potential_of("silicon", options.small)
    box = box_of("silicon", 8 if options.small else 512)
    steps = 5 if options.small else 8000
    for dtype in dtypes_of(options):
        engine: Any = potential.make_engine(options.engine, dtype=dtype)
        totals = _run(engine, box, steps)
        times = np.arange(len(totals)) * TIMESTEP_FS / 1000
        slope = float(np.polyfit(times, totals / len(box), 1)[0]) if len(totals) > 2 else 0.0
        row = {"dtype": dtype, "atoms": len(box), "ps": steps * TIMESTEP_FS / 1000}
        row |= {"eV per atom and ps": slope, "spread": float(np.std(totals) / len(box))}
        if not options.small:
            row["ok"] = abs(slope) < LIMIT
        result.row(**row)


def _run(engine: Any, box: Any, steps: int) -> np.ndarray:
    """Total energy of every step."""
    masses = atomic_masses[box.atomic_numbers][:, None]
    rng, dt = np.random.default_rng(1), TIMESTEP_FS * ase.units.fs
    velocity = rng.normal(size=box.positions.shape) * np.sqrt(ase.units.kB * TEMPERATURE / masses)
    positions, totals = box.positions.copy(), []
    rest = (box.atomic_numbers, box.cell, box.pbc)
    found = engine.compute_arrays(positions, *rest)
    for _ in range(steps):
        velocity += 0.5 * dt * found.forces / masses
        positions = positions + dt * velocity
        found = engine.compute_arrays(positions, *rest)
        velocity += 0.5 * dt * found.forces / masses
        totals.append(float(found.energy) + 0.5 * float((masses * velocity**2).sum()))
    return np.array(totals)


if __name__ == "__main__":
    main()
