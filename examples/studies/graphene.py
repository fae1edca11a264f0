"""Graphene by molecular dynamics alone: how many structures, functions and neurons it takes.

GFN1-xTB labels dynamics at 300 to 1000 K. Errors over the number of structures; one radial and 18
angular functions with linear and tanh networks, with forces and with energies alone; and scaled
cells in place of a quarter, a half and all of the dynamics. Labels stay in the output folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ase import Atoms
from frame import Study, begin, legend, panels, table
from graphene_parts.fits import RECIPES, errors, fitted
from graphene_parts.labels import FULL, QUICK, Labels, evenly, label_all

BEST = "moments, tanh"
MIXED = "1 + 18, tanh"  # with scaled cells
SHARES = (0.0, 0.25, 0.5, 1.0)  # of scaled cells
PUBLISHED = {"best": 0.5, "1 + 18, linear": 0.9, "1 + 18, tanh": 1.3}  # energy MAE, meV/atom
SHOWN = "energy MAE / meV/atom"


def main() -> None:
    study = begin(__doc__, needs=("tblite", "torch", "matplotlib"))
    labels = label_all(FULL if study.full else QUICK, study.work)
    most, count = len(labels.dynamics), len(labels.augmented)
    counts = (most, most // 2, most // 4) if study.full else (most, most // 2)
    few = {
        name: rows(study, labels, name, f"{most}", labels.dynamics)
        for name in RECIPES
        if name != BEST
    }
    sizes = {str(n): rows(study, labels, BEST, f"{n}", evenly(labels.dynamics, n)) for n in counts}
    mixed = {}
    for share in SHARES:
        scaled = round(share * count)
        frames = evenly(labels.augmented, scaled) + evenly(labels.dynamics, count - scaled)
        mixed[f"{share:.0%}"] = rows(study, labels, MIXED, f"{share:.0%} scaled", frames)
    show("structures", {name: own["dynamics"] for name, own in sizes.items()})
    show(f"functions, {most} structures", {name: own["dynamics"] for name, own in few.items()})
    for test in ("dynamics", "scaled"):
        show(f"scaled, over {test}", {name: own[test] for name, own in mixed.items()})
    draw(study, sizes, mixed)
    study.finish(
        {"published": PUBLISHED, "structures": sizes, "functions": few, "scaled share": mixed}
    )


def rows(
    study: Study, labels: Labels, name: str, what: str, frames: Sequence[Atoms]
) -> dict[str, dict[str, float]]:
    """Errors over both test sets, and what the fit took; those of an earlier run where kept."""
    kept = study.work / f"{name}, {what}.json"
    if not kept.exists():
        print(f"fitting {name}, {what}", flush=True)
        shorten = 1 if study.full else 20
        potential, took = fitted(RECIPES[name], frames, study.work / "fit", 0, shorten)
        found = {
            "dynamics": errors(potential, labels.test),
            "scaled": errors(potential, labels.augmented_test),
            "fit": took,
        }
        kept.write_text(json.dumps(found), encoding="utf-8")
    again: dict[str, dict[str, float]] = json.loads(kept.read_text(encoding="utf-8"))
    return again


def show(what: str, found: dict[str, dict[str, float]]) -> None:
    """Print a table."""
    header = next(iter(found.values()))
    print(table([what, *header], [[name, *own.values()] for name, own in found.items()]))


def draw(study: Study, sizes: dict[str, Any], mixed: dict[str, Any]) -> None:
    """Energy errors over the number of structures, and over the share of scaled cells."""
    figure, axes = panels(1, 2)
    values = [own["dynamics"][SHOWN] for own in sizes.values()]
    axes[0].semilogx([int(name) for name in sizes], values, "o-")
    axes[0].axhline(PUBLISHED["best"], color="black", linewidth=0.7, linestyle=":")
    axes[1].plot([], [], ":", color="black", linewidth=0.7, label="published")
    axes[0].set(xlabel="structures of dynamics", ylabel="energy MAE / meV/atom", ylim=(0, None))
    axes[0].set_xticks([int(name) for name in sizes], list(sizes))
    axes[0].minorticks_off()
    for style, test in (("C0o-", "dynamics"), ("C1o--", "scaled")):
        values = [own[test][SHOWN] for own in mixed.values()]
        axes[1].semilogy([100 * share for share in SHARES], values, style, label=f"over {test}")
    axes[1].set(xlabel="scaled cells / %", ylabel="energy MAE / meV/atom")
    legend(figure, axes[1])
    study.picture("errors", figure)


if __name__ == "__main__":
    main()
