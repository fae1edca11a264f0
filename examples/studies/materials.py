"""Two-dimensional and bulk materials: what decides how good a potential becomes?

Graphene and diamond (with --full hexagonal and cubic BN, bilayer graphene, a sheet of silica and
α-quartz) as tblite's GFN1-xTB sees them: dynamics at 300 to 1000 K, then optimisers, activations,
functions, cutoffs, amounts of data and intervals of snapshots beside one another, and a training
set with cells scaled by up to ±10 % beside one of dynamics only. Labels are kept in the output
folder for the next run.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from frame import Study, begin, table
from materials_parts import comparisons, pictures, sampling
from materials_parts.comparisons import Augmented, Bench, Numbers
from materials_parts.materials import MATERIALS, cell_convergence

COMPARED = ("graphene", "diamond")  # in every respect; the others by their training sets only


def main() -> None:
    study = begin(__doc__, needs=("tblite", "torch", "matplotlib"))
    names = tuple(MATERIALS) if study.full else COMPARED[:1]
    numbers: Numbers = {}
    sets: dict[str, Augmented] = {}
    for name in names:
        bench = bench_of(study, name)
        numbers[name] = {"label seconds": bench.labels.seconds}
        if name in COMPARED:
            numbers[name] |= compare(study, name, bench)
        if study.full:
            numbers[name]["teacher"] = cell_convergence(MATERIALS[name])
        sets[name] = comparisons.augmented(bench)
        numbers[name]["sets"] = comparisons.augmented_numbers(sets[name])
        print(
            f"{name}: dynamics only and augmented\n{sets_table(numbers[name]['sets'])}", flush=True
        )
        if name in COMPARED:
            study.picture(f"{name}-sets", pictures.augmentation(sets[name]))
    others = {name: own for name, own in sets.items() if name not in COMPARED}
    if others:
        study.picture("others", pictures.scans(others))
    study.finish(numbers)


def bench_of(study: Study, name: str) -> Bench:
    """Labels of a material and how much to do with them."""
    plan = sampling.SPARSE if name not in COMPARED else sampling.DENSE
    print(f"{name}: labels", flush=True)
    labels = sampling.label_all(
        MATERIALS[name], plan if study.full else sampling.QUICK, study.work / "labels" / name
    )
    extent = comparisons.FULL if study.full else comparisons.QUICK
    return Bench(labels, extent, study.work / "fit")


def compare(study: Study, name: str, bench: Bench) -> Numbers:
    """Everything but the augmented set."""
    by_optimiser, fits = comparisons.optimisers(bench)
    found = {
        "optimisers": by_optimiser,
        "activations": comparisons.activations(bench),
        "functions": comparisons.without_angular(bench),
        "cutoff": comparisons.cutoffs(bench),
        "structures": comparisons.sizes(bench),
        "interval": comparisons.intervals(bench),
    }
    study.picture(f"{name}-curves", pictures.curves(fits))
    study.picture(f"{name}-comparisons", pictures.comparisons(found))
    for what, cases in found.items():
        print(f"{name}: {what}\n{cases_table(cases)}", flush=True)
    return found


def cases_table(cases: dict[str, Numbers]) -> str:
    """Medians over the seeds, and the range of the test force error."""
    header = ["", "seeds", "energy / meV/atom", "forces / eV/Å", "from", "to", "CPU / s"]
    return table(header, [[name, *_medians(own)] for name, own in cases.items()])


def _medians(own: Numbers) -> list[Any]:
    forces = own["test_force"]
    return [
        len(forces),
        median(own["test_energy"]),
        median(forces),
        min(forces),
        max(forces),
        median(own["seconds"]),
    ]


def sets_table(sets: Numbers) -> str:
    """Errors over test frames, over scaled copies of them, and over the scaled crystal."""
    header = ["trained on", "test", "energy / meV/atom", "r", "forces / eV/Å", "r", "scan"]
    rows = []
    for name, own in sets.items():
        for kind in ("dynamics", "scaled"):
            energy, forces = own[kind]["energy"], own[kind]["forces"]
            row = [1e3 * energy["rmse"], energy["pearson"], forces["rmse"], forces["pearson"]]
            rows.append([name, kind, *row, own["scan RMSE"]])
    return table(header, rows)


if __name__ == "__main__":
    main()
