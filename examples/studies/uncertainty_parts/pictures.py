"""The pictures of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from frame import legend, panels, plain_log

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
    legend(figure, axes[1, 0])
    return figure


def rounds(found: Mapping[str, Sequence[Sequence[Round]]]) -> Any:
    """Test error and share of the run over labels: thin per seed, thick the median of rounds."""
    figure, axes = panels(1, 2)
    columns = (("error", "test force RMSE / eV/Å"), ("reached", "share of heating survived"))
    for selection, seeds in found.items():
        colour = COLOURS[selection]
        for axis, (key, _) in zip(axes, columns, strict=True):
            for own in seeds:
                values = [getattr(r, key) for r in own]
                axis.plot([r.labels for r in own], values, colour, lw=0.7, alpha=0.5)
                mark = "o" if own[-1].quiet else "x"
                axis.plot(own[-1].labels, values[-1], colour + mark, ms=5)
            axis.plot(*_medians(seeds, key), colour, lw=2)
        axes[0].plot([], [], colour, lw=2, label=f"by {selection}, median")
    axes[0].plot([], [], "ko", label="quiet")
    axes[0].plot([], [], "kx", label="given up")
    axes[0].set_yscale("log")
    plain_log(axes[0])
    for axis, (_, title) in zip(axes, columns, strict=True):
        axis.set(xlabel="labels", ylabel=title)
    legend(figure, axes[0])
    return figure


def _medians(seeds: Sequence[Sequence[Round]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Over the seeds, round by round; one that has ended stays where it is."""
    longest = max(map(len, seeds))
    rows = [[own[min(k, len(own) - 1)] for own in seeds] for k in range(longest)]
    return (
        np.array([np.median([r.labels for r in row]) for row in rows]),
        np.array([np.median([getattr(r, key) for r in row]) for row in rows]),
    )
