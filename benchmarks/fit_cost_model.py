"""Fits the table of the cost model (kernels/plan/cost_table.h) to measured times.

    python benchmarks/fit_cost_model.py --write

Each case of cost_cases.py is evaluated with every instruction set and precision, wide functions by
pairs and by moments. The table is the non-negative least-squares solution in relative errors. Run
it alone on the machine.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from cost_cases import cases
from numpy.typing import NDArray
from scipy.optimize import nnls

from nnp.bench.cost import microseconds
from nnp.engines._library import COST_ITEMS
from nnp.engines.cpu import CpuEngine
from nnp.structure import Structure

TARGETS = ("baseline", "avx2", "avx512")
DTYPES = ("float64", "float32")
TABLE = Path(__file__).parents[1] / "kernels" / "plan" / "cost_table.h"


def counted(engine: CpuEngine, structure: Structure) -> NDArray[np.float64]:
    """Items of an atom, averaged over the elements."""
    found = engine.cost(structure)
    total = sum(cost.n_atoms for cost in found)
    return sum(np.array(list(cost.counts.values())) * cost.n_atoms / total for cost in found)


def main() -> None:
    """Measure, fit, print; write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.05, help="of each measurement")
    parser.add_argument("--save", help="the times, to fit again")
    parser.add_argument("--load", help="times of an earlier run of the same cases")
    parser.add_argument("--write", action="store_true", help="the table, into the kernels")
    arguments = parser.parse_args()
    stored = dict(np.load(arguments.load)) if arguments.load else {}
    names, work = [], {(d, t): [] for d in DTYPES for t in TARGETS}
    times = {key: list(stored.get("_".join(key), [])) for key in work}
    for name, potential, structure in cases():
        for way in ("pairs", "moments") if name.startswith("wide") else ("auto",):
            names.append(f"{name}, {way}")
            for (dtype, target), counts in work.items():
                engine = CpuEngine(potential, dtype, 1, target=target, wide=way)
                counts.append(counted(engine, structure))
                if not stored:
                    took = microseconds(engine, structure, arguments.seconds)
                    times[dtype, target].append(took)
    if arguments.save:
        np.savez(arguments.save, **{"_".join(key): value for key, value in times.items()})
    rows = []
    for (dtype, target), found in work.items():
        counts, measured = np.array(found), np.array(times[dtype, target])
        solution, _ = nnls(counts / measured[:, None], np.ones(len(measured)))
        off = counts @ solution / measured - 1
        worst = np.argsort(-abs(off))[:6]
        print(
            f"{dtype} {target}: rms {np.sqrt((off**2).mean()):.1%}, worst "
            + "; ".join(f"{names[i]} {off[i]:+.0%}" for i in worst)
        )
        print(
            "   ", " ".join(f"{n}={1e3 * x:.3g}" for n, x in zip(COST_ITEMS, solution, strict=True))
        )
        rows.append("{" + ", ".join(f"{1e3 * x:.4g}" for x in solution) + "}")
    if arguments.write:
        blocks = ",\n".join("    {" + ",\n     ".join(rows[k : k + 3]) + "}" for k in (0, 3))
        text = re.sub(
            r"(NNP_COST_ITEMS\] = \{\n).*?(\n\};)",
            lambda m: m[1] + blocks + m[2],
            TABLE.read_text(),
            flags=re.DOTALL,
        )
        TABLE.write_text(text)


if __name__ == "__main__":
    main()
