"""H2 with labels of tight binding: how many functions and neurons does a pair curve need?

Linear networks (no hidden layer) of 1, 2, 3, 4 and 8 radial functions against tanh networks of the
same, the range of η, and 1, 3, 4 and 8 neurons; energies and forces of GFN2-xTB. Linear, tanh,
sigmoid and twist networks, each from ten first weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from frame import Study, begin, panels, table

STYLES = ("C0-", "C1--", "C2-.", "C3:")
ACTIVATIONS = {"linear": "l", "tanh": "t", "sigmoid": "s", "twist": "twist"}
LINEAR, TANH = "linear", "tanh, 8 neurons"


def main() -> None:
    study = begin(__doc__, needs=("torch", "tblite", "matplotlib"))
    from hydrogen_parts.fits import Hydrogen

    hydrogen = Hydrogen(30, 100, 2) if study.full else Hydrogen(20, 40, 1)
    counts = (1, 2, 3, 4, 8) if study.full else (1, 3, 8)
    functions = {
        name: {count: hydrogen.fitted(count, hidden) for count in counts}
        for name, hidden in ((LINEAR, []), (TANH, [8]))
    }
    neurons = {n: hydrogen.fitted(1, [n]) for n in (1, 3, 4, 8)}
    widths = (0.4, 0.6, 0.9, 1.3, 2.0, 3.0) if study.full else (0.6, 2.0)
    ranges = {
        f"{LINEAR}, 4": {0.5 / w**2: hydrogen.fitted(4, [], narrowest=w) for w in widths},
        f"{TANH}, 1": {0.5 / w**2: hydrogen.fitted_with([w], [8]) for w in widths},
    }
    draw(study, hydrogen, functions, neurons, ranges)
    spread = seeds(study, hydrogen)
    numbers = {
        "functions": {n: errors(own, hydrogen) for n, own in functions.items()},
        "neurons, 1 function": {"tanh": errors(neurons, hydrogen)},
        "largest η": {n: errors(own, hydrogen) for n, own in ranges.items()},
    }
    for what, group in numbers.items():
        header = [f"energy RMSE / meV over {what}", *next(iter(group.values()))]
        print(table(header, [[n, *(e[0] for e in own.values())] for n, own in group.items()]))
    study.finish(numbers | {"seeds": spread})


def seeds(study: Study, hydrogen: Any) -> dict[str, dict[str, dict[str, float]]]:
    """Energy RMSE of fits from several first weights, meV: least, median, most; and a picture."""
    counts, fits = ((1, 2, 4, 8), 10) if study.full else ((1, 4), 2)
    figure, axes = panels(1, len(ACTIVATIONS), sharey=True)
    numbers: dict[str, dict[str, dict[str, float]]] = {}
    rows = []
    for axis, (name, activation) in zip(axes, ACTIVATIONS.items(), strict=True):
        numbers[name] = {}
        for place, count in enumerate(counts):
            kept = study.work / f"{name}-{count}.npy"  # of an earlier run
            if not kept.exists():
                found = hydrogen.seeds(count, activation, 1 if activation == "l" else fits)
                np.save(kept, [curve.minus(hydrogen.wanted).rms[0] for curve in found])
            own = np.sort(np.load(kept))
            quarters = np.percentile(own, (0, 25, 50, 75, 100))
            names = ("least", "25 %", "median", "75 %", "most")
            numbers[name][str(count)] = dict(zip(names, map(float, quarters), strict=True))
            axis.semilogy([place] * len(own), own, "o", color="C0", alpha=0.4)
            axis.semilogy(place, np.median(own), "_", color="black", markersize=16)
        axis.set(title=name, xlabel="radial functions")
        axis.set_xticks(range(len(counts)), [str(count) for count in counts])
        rows.append([name, *(f"{n['median']:.3g} ({n['least']:.3g}-{n['most']:.3g})"
                             for n in numbers[name].values())])  # fmt: skip
    axes[0].set_ylabel("energy RMSE / meV")
    study.picture("seeds", figure)
    print(table(["energy RMSE / meV over functions", *map(str, counts)], rows))
    return numbers


def errors(curves: dict[Any, Any], hydrogen: Any) -> dict[str, tuple[float, float]]:
    """RMS of energy (meV) and slope (meV/Å) of each, by what it is called."""
    return {f"{key:.3g}": curve.minus(hydrogen.wanted).rms for key, curve in curves.items()}


def draw(study: Study, hydrogen: Any, functions: Any, neurons: Any, ranges: Any) -> None:
    """The nine pictures."""
    figure, axes = panels(3, 3)
    for row, (name, fits) in zip(axes, functions.items(), strict=False):
        for axis, count in zip(row, (1, 3, 8), strict=True):
            plural = "s" * (count > 1)
            curves(axis, hydrogen, {name: fits[count]}, f"{name}: {count} function{plural}")
    named = {f"{n} neuron{'s' * (n > 1)}": curve for n, curve in neurons.items()}
    curves(axes[2, 0], hydrogen, named, "tanh: 1 function")
    for axis, group in ((axes[2, 1], functions), (axes[2, 2], ranges)):
        for name, fits in group.items():
            found = [fit.minus(hydrogen.wanted).rms[0] for fit in fits.values()]
            axis.loglog(list(fits), found, "o-", label=name)
        axis.set(ylabel="energy RMSE / meV", ylim=(1, 2000))
        axis.tick_params(which="minor", labelbottom=False)
        axis.legend()
    axes[2, 1].set(xlabel="radial functions")
    axes[2, 1].set_xticks(list(functions[LINEAR]), [str(n) for n in functions[LINEAR]])
    axes[2, 1].minorticks_off()
    axes[2, 2].set(xlabel="largest η / Å⁻²")
    study.picture("nine", figure)


def curves(axis: Any, hydrogen: Any, found: dict[str, Any], title: str) -> None:
    """Energies in eV above two atoms."""
    wanted = hydrogen.wanted
    axis.plot(wanted.r, wanted.energy / 1000, "black", linewidth=1, label="GFN2-xTB")
    for style, (name, curve) in zip(STYLES, found.items(), strict=False):
        axis.plot(curve.r, curve.energy / 1000, style, label=name)
    axis.set(title=title, xlabel="r / Å", ylabel="E / eV", ylim=(-6, 3))
    axis.legend(loc="lower right")


if __name__ == "__main__":
    main()
