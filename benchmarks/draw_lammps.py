"""Bars of docs/lammps.md: processor time per atom and step against n2p2's ``hdnnp``.

python benchmarks/draw_lammps.py benchmarks/results/lammps_*.json docs/lammps_speed.png
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

_LEFT_OUT = "LAMMPS sw"  # another potential: the clock


def times(path: Path) -> dict[str, float]:
    """Processor seconds per step and atom, by subject: what a shared machine changes least."""
    found = json.loads(path.read_text(encoding="utf-8"))["measurements"]
    return {
        m["subject"]: statistics.median(m["details"]["processor_seconds"]) / m["n_atoms"]
        for m in found
    }


def main(*words: str) -> None:
    """Draw the files into the last."""
    *sources, target = words
    figure, axes = plt.subplots(1, len(sources), figsize=(9, 2.6), layout="constrained")
    for axis, source in zip(axes, sources, strict=True):
        found = times(Path(source))
        names = [name for name in found if name != _LEFT_OUT]
        ratios = [found["LAMMPS hdnnp"] / found[name] for name in names]
        bars = axis.barh(names, ratios)
        axis.bar_label(bars, fmt=" %.1f")
        axis.set_title(Path(source).stem.removeprefix("lammps_"))
        axis.set_xlabel("times n2p2's hdnnp")
        axis.set_xlim(0, 1.15 * max(ratios))
        axis.invert_yaxis()
        print(source, dict(zip(names, ratios, strict=True)))
    figure.savefig(target, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
