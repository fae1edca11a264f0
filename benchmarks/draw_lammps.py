"""Picture of docs/lammps.md: speed beside n2p2's ``hdnnp`` above, efficiency over ranks below.

    python benchmarks/draw_lammps.py docs/lammps_speed.png

Reads what `bench_lammps` and `bench_lammps_ranks` wrote into ``benchmarks/results``.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from nnp.pictures.figure import STYLE

RESULTS = Path(__file__).parent / "results"
_LEFT_OUT = "LAMMPS sw"  # another potential: the clock


def times(path: Path) -> dict[str, float]:
    """Processor seconds per step and atom, by subject: what a shared machine changes least."""
    found = json.loads(path.read_text(encoding="utf-8"))["measurements"]
    return {
        m["subject"]: statistics.median(m["details"]["processor_seconds"]) / m["n_atoms"]
        for m in found
    }


def efficiencies(path: Path) -> dict[str, dict[int, float]]:
    """By style and number of ranks."""
    found: dict[str, dict[int, float]] = {}
    for m in json.loads(path.read_text(encoding="utf-8"))["measurements"]:
        details = m["details"]
        found.setdefault(details["style"], {})[details["ranks"]] = details["efficiency"]
    return found


def draw_speed(axis: plt.Axes, name: str) -> None:
    """Bars: times ``hdnnp``, by processor time."""
    found = times(RESULTS / f"lammps_{name}.json")
    names = [subject for subject in found if subject != _LEFT_OUT]
    ratios = [found["LAMMPS hdnnp"] / found[subject] for subject in names]
    axis.bar_label(axis.barh(names, ratios), fmt=" %.1f")
    axis.set(title=name, xlabel="times n2p2's hdnnp", xlim=(0, 1.2 * max(ratios)))
    axis.invert_yaxis()
    print(name, dict(zip(names, ratios, strict=True)))


def draw_ranks(axis: plt.Axes, name: str) -> None:
    """Lines: time on one rank / (ranks × time on so many)."""
    for style, found in efficiencies(RESULTS / f"lammps_ranks_{name}.json").items():
        axis.plot(list(found), list(found.values()), marker="o", label=f"LAMMPS {style}")
        axis.set_xticks(list(found))
        print(name, style, found)
    axis.set(xlabel="ranks", ylabel="efficiency", ylim=(0.8, 1.02))
    axis.legend(loc="lower left")


def main(target: str) -> None:
    """Draw both subjects into the target."""
    plt.style.use(STYLE)
    figure, axes = plt.subplots(2, 2, figsize=(9, 5), layout="constrained")
    for column, name in enumerate(("silicon", "water")):
        draw_speed(axes[0, column], name)
        draw_ranks(axes[1, column], name)
    figure.savefig(target, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
