"""Lennard-Jones: what a network can learn of a pair potential, and in which form.

(a) One input: a network of one radial function of a dimer, energy and derivative over r, as the
    training framework and as the engines compute them.
(b) Twenty neighbours: a network of 20 distances against one of radial functions.
(c) Five neighbours: forces as outputs of a network against forces as the gradient of one, in
    dynamics at constant energy.

The whole crystal is in argon.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from frame import Study, begin, legend, panels, table


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    numbers = {"pair": pair(study), "many": many(study), "direct": direct(study)}
    study.finish(numbers)


def pair(study: Study) -> dict[str, Any]:
    from lennard_jones_parts.pair import CUTOFF, NEAREST, argon, learn, predictions
    from pair_parts.fitting import teacher_curve

    r = np.linspace(NEAREST, CUTOFF, 400)
    task, theta = learn(60, 400 if study.full else 60)
    wanted, found = teacher_curve(r, argon(r)), predictions(task, theta, r)
    figure, axes = panels(2, 2, sharex=True)
    for row, name, unit in ((0, "energy", "meV"), (1, "slope", "meV/Å")):
        axes[row, 0].plot(r, getattr(wanted, name), "black", linewidth=1, label="Lennard-Jones")
        for style, (by, curve) in zip(("C0-", "C1--", "C2:"), found.items(), strict=True):
            axes[row, 0].plot(r, getattr(curve, name), style, label=by)
            axes[row, 1].plot(r, getattr(curve.minus(wanted), name), style, label=by)
        label = "E" if name == "energy" else "dE/dr"
        axes[row, 0].set(ylabel=f"{label} / {unit}")
        axes[row, 1].set(ylabel=f"error of {label} / {unit}")
    legend(figure, axes[0, 0])
    for axis in axes[1]:
        axis.set(xlabel="r / Å")
    study.picture("pair", figure)

    training = found.pop("training")
    error = training.minus(wanted)
    apart = [curve.minus(training) for curve in found.values()]
    return {
        "energy RMSE / meV": error.rms[0],
        "slope RMSE / meV/Å": error.rms[1],
        "energy, engines − training / meV": max(float(np.abs(c.energy).max()) for c in apart),
        "slope, engines − training / meV/Å": max(float(np.abs(c.slope).max()) for c in apart),
    }


def many(study: Study) -> dict[str, Any]:
    from lennard_jones_parts.many import learning_curves

    counts = [100, 300, 1000, 3000, 10000] if study.full else [100, 400]
    errors, spread = learning_curves(counts, 30, 400 if study.full else 150)
    rows = [[name, *values] for name, values in errors.items()]
    print(table(["RMSE / meV of", *map(str, counts)], rows))
    figure, axis = panels(1, 1)
    for style, (name, values) in zip(("C0o-", "C1s-", "C2^-"), errors.items(), strict=True):
        axis.loglog(counts, values, style, label=name)
    axis.axhline(spread, color="black", linestyle=":", label="spread of the energies")
    axis.set(xlabel="training samples", ylabel="energy RMSE / meV")
    legend(figure, axis, 2)
    study.picture("many", figure)
    return {"spread / meV": spread, "samples": counts, "energy RMSE / meV": errors}


def direct(study: Study) -> dict[str, Any]:
    from lennard_jones_parts.direct import changes, learn, run

    models, numbers = learn(*((3000, 40, 800) if study.full else (1000, 30, 250)))
    figure, (left, right) = panels(1, 2, sharex=True)
    for style, (name, model) in zip(("C3", "C0"), models.items(), strict=True):
        track = run(model, 16, 500.0 if study.full else 50.0)
        off = changes(track)
        numbers[name]["change of total energy, median / meV"] = off.median().item()
        numbers[name]["change of total energy, largest / meV"] = off.max().item()
        every = max(1, len(track.time) // 500)
        change = (track.total - track.total[0])[::every]
        left.plot(track.time[::every], change, style, linewidth=0.5)
        windows = track.kinetic.median(1).values.reshape(50, -1).mean(1)
        right.plot(track.time.reshape(50, -1).mean(1), windows, style, label=name)
    left.set(
        xlabel="time / ps",
        ylabel="total energy − first / meV",
        title="16 atoms, each",
        ylim=(-15, 15),
    )
    right.set(xlabel="time / ps", ylabel="kinetic energy / meV", title="median of them")
    legend(figure, right)
    study.picture("direct", figure)
    print(table(["", *numbers], [[k, *(n[k] for n in numbers.values())] for k in numbers[name]]))
    return numbers


if __name__ == "__main__":
    main()
