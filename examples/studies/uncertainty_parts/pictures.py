"""The pictures of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from frame import panels

from uncertainty_parts.loop import Heating, Plan, Round

COLOURS = {"disagreement": "C0", "random": "C1"}


def heating(runs: Mapping[str, Heating], plan: Plan) -> Any:
    """Flags, disagreement and true error over the thermostat's temperature, a column per run."""
    figure, axes = panels(2, len(runs), sharex=True, sharey="row", squeeze=False)
    for (upper, lower), (name, run) in zip(axes.T, runs.items(), strict=True):
        upper.plot(run.temperature, 100 * np.array(run.flagged), "C2", lw=1)
        upper.set(title=name, ylim=(-3, 103))
        lower.semilogy(run.temperature, run.error, "C3", lw=1, label="true error")
        lower.semilogy(run.temperature, run.disagreement, "C0", lw=1, label="disagreement")
        lower.axhline(plan.lost, color="black", lw=0.7, ls="--", label="lost")
        lower.axhline(plan.quiet_disagreement, color="black", lw=0.7, ls=":", label="quiet")
        lower.set_xlabel("temperature of the thermostat / K")
    axes[0, 0].set_ylabel("flagged atoms / %")
    axes[1, 0].set_ylabel("worst atom's force / eV/Å")
    axes[1, 0].legend(fontsize="x-small")
    return figure


def rounds(found: Mapping[str, Sequence[Sequence[Round]]]) -> Any:
    """Test error and share of the run over labels: a line per seed, thick the median of rounds."""
    figure, axes = panels(1, 2)
    columns = (("error", "test force RMSE / eV/Å"), ("reached", "share of heating survived"))
    for selection, seeds in found.items():
        colour = COLOURS[selection]
        for axis, (key, _) in zip(axes, columns, strict=True):
            for own in seeds:
                labels = [r.labels for r in own]
                axis.plot(labels, [getattr(r, key) for r in own], colour, lw=0.7, alpha=0.5)
            last = [(own[-1].labels, getattr(own[-1], key), own[-1].quiet) for own in seeds]
            for labels, value, quiet in last:
                axis.plot(labels, value, colour + ("o" if quiet else "x"), ms=5)
    for selection, colour in COLOURS.items():
        axes[0].plot([], [], colour + "o-", label=f"by {selection}")
    axes[0].plot([], [], "kx", ls="", label="not quiet at the end")
    axes[0].set_yscale("log")
    for axis, (_, title) in zip(axes, columns, strict=True):
        axis.set(xlabel="labels", ylabel=title)
    axes[0].legend(fontsize="x-small")
    return figure
