"""Knowing when it is wrong: flags and disagreement along a heating run, and a loop that uses them.

A committee that knows silicon at 300 K only is heated until it is lost; Stillinger and Weber's
potential says at every step how wrong it really was. Then rounds of heating, labelling and training
follow until the run is quiet, with the labels chosen by disagreement or at random.
"""

from __future__ import annotations

from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np
from frame import begin, table
from uncertainty_parts import pictures
from uncertainty_parts.loop import (
    Heating,
    Plan,
    Round,
    first_labels,
    heat,
    heated_teacher,
    refine,
    train_on,
)

QUICK = Plan(end=600.0, steps=200, members=2, updates=60, rounds=2, seeds=1)
SELECTIONS = ("disagreement", "random")
TEST_SEED, TEST_FRAMES = 7777, 20


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    plan = Plan() if study.full else QUICK

    first = train_on(first_labels(0), plan, 0, study.work)
    runs = {"trained at 300 K": heat(first, plan, seed=0, stop=False)}
    events = {name: first_above(run) for name, run in runs.items()}
    print(table(["first above", "K"], [list(pair) for pair in events["trained at 300 K"].items()]))

    test = heated_teacher(plan, TEST_SEED, TEST_FRAMES)
    found: dict[str, list[list[Round]]] = {name: [] for name in SELECTIONS}
    for seed in range(plan.seeds):
        for selection in SELECTIONS:
            rounds, last = refine(plan, selection, seed, test, study.work)
            found[selection].append(rounds)
            print(f"seed {seed}, by {selection}\n{rounds_table(rounds)}", flush=True)
            if seed == 0 and selection == SELECTIONS[0]:
                runs["refined"] = heat(last, plan, seed=0, stop=False)
    study.picture("heating", pictures.heating(runs, plan))
    study.picture("rounds", pictures.rounds(found))
    print(table(["labels by", *next(iter(needed(found).values()))], needed_rows(found)))
    study.finish(
        {
            "plan": asdict(plan),
            "first above": events,
            "heating": {name: run_numbers(run, plan) for name, run in runs.items()},
            "rounds": {name: [[asdict(r) for r in own] for own in s] for name, s in found.items()},
            "needed": needed(found),
        }
    )


def first_above(run: Heating) -> dict[str, float | None]:
    """Temperature of the thermostat (K) at which each warning, and each error, is first seen."""
    events = {
        "flags 1 %": np.array(run.flagged) > 0.01,
        "flags 10 %": np.array(run.flagged) > 0.1,
        "disagreement 0.1 eV/Å": np.array(run.disagreement) > 0.1,
        "disagreement 0.3 eV/Å": np.array(run.disagreement) > 0.3,
        "disagreement 1 eV/Å": np.array(run.disagreement) > 1.0,
        "error 0.3 eV/Å": np.array(run.error) > 0.3,
        "error 1 eV/Å": np.array(run.error) > 1.0,
        "error 10 eV/Å": np.array(run.error) > 10.0,
    }
    return {
        name: run.temperature[int(np.argmax(seen))] if seen.any() else None
        for name, seen in events.items()
    }


def run_numbers(run: Heating, plan: Plan) -> dict[str, Any]:
    """Error against disagreement, before and after the committee is lost for the first time."""
    error, disagreement = np.array(run.error), np.maximum(run.disagreement, 1e-6)
    lost = disagreement > plan.lost
    before = int(np.argmax(lost)) if lost.any() else len(lost)
    logs = np.log(error[:before]), np.log(disagreement[:before])
    return {
        "looks": len(lost),
        "looks before lost": before,
        "correlation of logarithms before": float(np.corrcoef(*logs)[0, 1]) if before > 2 else None,
        "error / disagreement before": _median(error[:before] / disagreement[:before]),
        "error / disagreement after": _median(error[before:] / disagreement[before:]),
        "looks after lost with disagreement below": int((~lost[before:]).sum()),
        "largest error": float(error.max()),
        "largest disagreement": float(disagreement.max()),
        "flagged share": float(np.mean(run.flagged)),
    }


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def rounds_table(rounds: list[Round]) -> str:
    """A row per round."""
    header = ["labels", "test / eV/Å", "survived", "disagreement", "flagged", "quiet"]
    rows = [
        [r.labels, r.error, r.reached, r.disagreement, r.flagged, "yes" if r.quiet else "no"]
        for r in rounds
    ]
    return table(header, rows)


def needed(found: dict[str, list[list[Round]]]) -> dict[str, dict[str, Any]]:
    """Labels at the end, median and range over the seeds, by selection."""
    rows = {}
    for name, seeds in found.items():
        labels = [own[-1].labels for own in seeds]
        errors = [own[-1].error for own in seeds]
        rows[name] = {
            "seeds": len(seeds),
            "quiet": sum(own[-1].quiet for own in seeds),
            "labels": median(labels),
            "fewest": min(labels),
            "most": max(labels),
            "test error": median(errors),
            "lowest": min(errors),
            "highest": max(errors),
        }
    return rows


def needed_rows(found: dict[str, list[list[Round]]]) -> list[list[Any]]:
    return [[name, *row.values()] for name, row in needed(found).items()]


if __name__ == "__main__":
    main()
