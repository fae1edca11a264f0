"""Silica: two elements, and a teacher with charges and bond angles.

The teachers are held against LAMMPS first. Then a network learns Vashishta's silica from quartz
and its melt, and both run: partial radial distributions, the angles O-Si-O and Si-O-Si, heat
capacities, and diffusion in a melt hot enough for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from frame import Study, begin, legend, panels, table
from md_parts.dynamics import Run, run
from md_parts.fitting import errors, learnt
from md_parts.models import Model, network, teacher
from silica_parts import learn
from silica_parts.lammps_check import differences

from nnp.analysis import AnalysisSettings
from nnp.teachers.ase import StillingerWeber, Vashishta

ROOM_K = 300.0
CURVES = {"rdf": ("Si-Si", "O-Si", "O-O"), "angles": ("O-Si-O", "Si-O-Si")}
_BOND = 2.2  # Å, first minimum of the Si-O distribution
_SHAKEN = 0.1  # Å
HOT_K = 7000.0  # at 4000 K atoms are still held after half a ps
HOT = "hot melt"
# Steps of 1 fs by state: diffusion takes longer than distributions.
FULL = {"quartz": 4000, "melt": 4000, HOT: 16_000}
QUICK = dict.fromkeys(FULL, 200)


def main() -> None:
    study = begin(__doc__, needs=("lammps", "openmm", "torch", "matplotlib"))
    vashishta = teacher("Vashishta", Vashishta)
    checks = beside_lammps(vashishta, study)
    print(table(["teacher", *checks["Vashishta"]], [[k, *v.values()] for k, v in checks.items()]))

    recipe = learn.FULL if study.full else learn.QUICK
    print("sampling the teacher", flush=True)
    frames = learn.sampled(recipe)
    potential = learnt(frames, learn.SETTINGS, study.work, epochs=30 if study.full else 5)
    header, rows = errors(potential, learn.unseen(recipe))
    test_errors = [dict(zip(header, row, strict=True)) for row in rows]
    print(table(header, rows))

    start = learn.quartz(3 if study.full else 2)
    molten = learn.melted(start, recipe.melting_steps)
    steps = FULL if study.full else QUICK
    runs = {
        model.name: moved(model, start, molten, steps, study)
        for model in (vashishta, network(potential))
    }
    found = curves_of(runs)
    header, rows = numbers_of(runs)
    print(table(header, rows))
    draw(study, found)
    study.finish(
        {
            "beside LAMMPS": checks,
            "labels": len(frames),
            "test errors": test_errors,
            "agreement": agreement(found),
            "numbers": [dict(zip(header, row, strict=True)) for row in rows],
            "ns/day": {name: states["quartz"].ns_per_day for name, states in runs.items()},
        }
    )


def beside_lammps(vashishta: Model, study: Study) -> dict[str, dict[str, Any]]:
    """Both teachers of the studies against LAMMPS, on shaken crystals."""
    silica, silicon = learn.quartz(2), bulk("Si", cubic=True) * (2, 2, 2)
    for atoms in (silica, silicon):
        atoms.rattle(_SHAKEN, seed=1)
    stillinger_weber = teacher("Stillinger-Weber", StillingerWeber)
    return {
        "Vashishta": differences(vashishta, silica, "vashishta", "SiO.1990.vashishta", study.work),
        "Stillinger-Weber": differences(stillinger_weber, silicon, "sw", "Si.sw", study.work),
    }


def moved(
    model: Model, start: Atoms, molten: Atoms, steps: dict[str, int], study: Study
) -> dict[str, Run]:
    """Crystal at 300 K, melt at 4000 K, and at 7000 K and then at constant energy."""
    print(f"running {model.name}", flush=True)
    how = AnalysisSettings(r_max=6.0 if study.full else 4.0, bin_width=0.05, bonds={"Si-O": _BOND})

    def made(begin: Atoms, name: str, temperature: float | None, like: str) -> Run:
        return run(model, begin, name, study.work, steps[like], temperature, how)

    melt = made(molten, "melt", learn.MELT_K, "melt")
    heated = made(melt.last, "heated", HOT_K, "melt")
    return {
        "quartz": made(start, "quartz", ROOM_K, "quartz"),
        "melt": melt,
        HOT: made(heated.last, "hot", None, HOT),
    }


# State → curve → model → (positions, values)
Curves = dict[str, dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]]


def curves_of(runs: dict[str, dict[str, Run]]) -> Curves:
    """All distributions of all runs."""
    found: Curves = {}
    for state in ("quartz", "melt"):
        found[state] = {}
        for kind, names in CURVES.items():
            curves = {name: states[state].analysis.curves[kind] for name, states in runs.items()}
            for curve in names:
                found[state][curve] = {m: (one.x, one.values[curve]) for m, one in curves.items()}
    return found


def numbers_of(runs: dict[str, dict[str, Run]]) -> tuple[list[str], list[list[Any]]]:
    """Heat capacities and diffusion coefficients: header and rows, None where not known."""
    asked = [("quartz", "heat capacity C_V"), ("melt", "heat capacity C_V")]
    asked += [(HOT, name) for name in ("mean temperature", "diffusion Si", "diffusion O")]
    rows = []
    for state, name in asked:
        told = [states[state].told(name) for states in runs.values()]
        unit = next((one.unit for one in told if one), "")
        rows.append([f"{name}, {state} / {unit}", *(one.text if one else None for one in told)])
    return ["quantity", *runs], rows


def agreement(found: Curves) -> dict[str, dict[str, float]]:
    """Shared part of the two models' curves."""
    return {
        state: {
            curve: overlap(*(values for _, values in models.values()))
            for curve, models in curves.items()
        }
        for state, curves in found.items()
    }


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Shared part of two densities on the same bins: 1 for equal ones."""
    return float(np.minimum(one, other).sum() / one.sum())


def draw(study: Study, found: Curves) -> None:
    """A row for each state, a panel for each distribution."""
    figure, axes = panels(len(found), sum(len(names) for names in CURVES.values()))
    for row, (state, curves) in zip(axes, found.items(), strict=True):
        for axis, (curve, models) in zip(row, curves.items(), strict=True):
            for style, (name, (x, y)) in zip(("C0-", "C1--"), models.items(), strict=True):
                axis.plot(x, y, style, label=name, linewidth=1)
            axis.set(
                title=f"{curve}, {state}",
                xlabel="angle / °" if curve in CURVES["angles"] else "r / Å",
            )
    axes[0, 0].set_ylabel("g(r)")
    axes[1, 0].set_ylabel("g(r)")
    legend(figure, axes[0, 0])
    study.picture("structure", figure)


if __name__ == "__main__":
    main()
