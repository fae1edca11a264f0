"""Speed of evaluation: torch eager, TorchScript, the CPU engine, and a GPU where there is one.

Two questions: what does one evaluation (energy and gradient) of a network of L layers × N nodes
cost, for one atom and for many; and what does a whole potential cost per atom, symmetry functions,
neighbours and forces included? One thread each, processor time of the fastest of several
evaluations: other programs only ever add time.
"""

from __future__ import annotations

from typing import Any

from frame import Study, begin, legend, panels, table
from speed_parts.measure import MANY, WHOLE, over_atoms, over_networks

STYLES = {"torch eager": "C0o-", "TorchScript": "C1s-", "CPU engine": "C2^-"}
STYLES |= {"CPU engine, float32": "C2v--", "GPU engine": "C3D-"}


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    budget = 0.05  # s per number
    networks, atoms = over_networks(study.full, budget), over_atoms(study.full, budget)
    draw(study, networks, atoms)
    for rows in (networks, atoms):
        header = list(rows[0])
        print(table(header, [[row.get(key, "–") for key in header] for row in rows]), "\n")
    study.finish({"networks / µs per atom": networks, "potentials / µs per atom": atoms})


def draw(study: Study, networks: list[dict[str, Any]], atoms: list[dict[str, Any]]) -> None:
    depths = sorted({row["layers"] for row in networks})
    figure, axes = panels(2, len(depths), squeeze=False, sharex=True, sharey="row")
    for axis_row, count in zip(axes, (1, MANY), strict=True):
        for axis, depth in zip(axis_row, depths, strict=True):
            own = [r for r in networks if r["layers"] == depth and r["atoms"] == count]
            lines(axis, own, "nodes")
            what = "1 atom" if count == 1 else f"{count} atoms"
            axis.set(title=f"{depth} layer{'s' * (depth > 1)}, {what}")
        axis_row[0].set(ylabel="µs per atom")
    legend(figure, axes[0, 0])
    for axis in axes[-1]:
        axis.set(xlabel="nodes per layer")
    study.picture("networks", figure)

    figure, axis = panels(1, 1)
    lines(axis, atoms, "atoms")
    axis.set(xlabel="atoms", ylabel="µs per atom", title=f"{WHOLE[0]} layers × {WHOLE[1]} nodes")
    legend(figure, axis, 2)
    study.picture("potentials", figure)


def lines(axis: Any, rows: list[dict[str, Any]], over: str) -> None:
    for name, style in STYLES.items():
        own = [row for row in rows if name in row]
        if own:
            axis.loglog([r[over] for r in own], [r[name] for r in own], style, label=name)


if __name__ == "__main__":
    main()
