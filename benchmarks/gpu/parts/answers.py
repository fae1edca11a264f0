"""Known answers: energies, forces, stress and descriptors against the CPU engine in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from subjects import box_of, dtypes_of, options_of, potential_of

# Of forces over their root mean square, of energies per atom in eV, as nnp.testing has them.
LIMITS = {"float64": (1e-10, 1e-10), "float32": (5e-5, 1e-5), "single": (5e-4, 5e-5)}


def main() -> None:
    """One row per potential, size and precision."""
    options, result = options_of(__doc__)
    for name in ("silicon", "water", "nep"):
        potential, _ = potential_of(name, options.small)
        sizes = (24,) if options.small else (24, 192, 4000)
        for size in sizes:
            box = box_of(name, size)
            wanted = potential.evaluate(box, "cpu", stress=True)
            rms = float(np.sqrt(np.mean(wanted.forces**2)))
            for dtype in dtypes_of(options):
                force, energy = LIMITS[dtype]
                engine: Any = potential.make_engine(options.engine, dtype=dtype)
                found = engine.compute(box, True, True)
                again = engine.compute(box, True, True)
                row = {"potential": name, "atoms": len(box), "dtype": dtype}
                row["forces"] = float(np.abs(found.forces - wanted.forces).max() / rms)
                row["energy per atom"] = abs(found.energy - wanted.energy) / len(box)
                row["stress"] = float(np.abs(found.stress - wanted.stress).max())
                row["repeats"] = bool((again.forces == found.forces).all())
                row["ok"] = row["forces"] < force and row["energy per atom"] < energy
                row["ok"] = bool(row["ok"] and row["repeats"])
                result.row(**row)


if __name__ == "__main__":
    main()
