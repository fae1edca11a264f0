"""The pictures of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from frame import legend, panels, plain_log

from materials_parts.comparisons import Augmented, Numbers, energies
from materials_parts.fitting import Fit

MARKS = {"MD only": "C0", "augmented": "C1"}


def curves(fits: Mapping[str, Sequence[Fit]]) -> Any:
    """Loss and test errors over epochs: medians over the seeds, and their whole range."""
    figure, axes = panels(1, 3)
    for colour, (name, own) in enumerate(fits.items()):
        epochs = [row["epoch"] for row in own[0].rows]
        for axis, key in zip(axes, ("loss", "energy_rmse_mev", "force_rmse"), strict=True):
            for part, style in (("train", "--"), ("valid", "-")):
                values = np.array([[row[f"{part}_{key}"] for row in f.rows] for f in own])
                label = name if part == "valid" else None
                axis.semilogy(epochs, np.median(values, 0), f"C{colour}{style}", lw=1, label=label)
                if part == "valid":
                    low, high = values.min(0), values.max(0)
                    axis.fill_between(epochs, low, high, color=f"C{colour}", alpha=0.2, lw=0)
    for axis, title in zip(
        axes, ("loss", "energy RMSE / meV/atom", "force RMSE / eV/Å"), strict=True
    ):
        axis.set(xlabel="epoch", title=title)
        axis.set_xscale("log")
    axes[0].plot([], [], "k-", lw=1, label="test")
    axes[0].plot([], [], "k--", lw=1, label="training")
    legend(figure, axes[0])
    return figure


def comparisons(found: Mapping[str, Numbers]) -> Any:
    """Test force errors of every comparison: points for seeds, a line through the medians."""
    figure, axes = panels(2, 3)
    labels = {
        "optimisers": "",
        "activations": "",
        "functions": "",
        "cutoff": "cutoff / Å",
        "structures": "training structures",
        "interval": "interval of snapshots / fs",
    }
    for axis, (name, label) in zip(axes.flat, labels.items(), strict=True):
        cases = found[name]
        values = [case["test_force"] for case in cases.values()]
        at = range(len(cases)) if not label else [float(key) for key in cases]
        for x, seeds in zip(at, values, strict=True):
            axis.plot([x] * len(seeds), seeds, "C0.", ms=4)
        medians = [np.median(seeds) for seeds in values]
        axis.plot(at, medians, "C1-" if label else "C1_", ms=14)
        axis.set(yscale="log", title=name, xlabel=label)
        plain_log(axis)
        if not label:
            names = [key.replace(" ", "\n", 1).replace("-M", "-\nM") for key in cases]
            axis.set_xticks(list(at), names, fontsize="small")
            axis.set_xlim(-0.5, len(cases) - 0.5)
        elif name == "structures":
            axis.set_xscale("log")
            axis.set_xticks(at, list(cases))
            axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    for axis in axes[:, 0]:
        axis.set_ylabel("test force RMSE / eV/Å")
    return figure


def scaling(found: Augmented, axis: Any, title: str) -> None:
    """Energy over cell scaling, with mean and maximum of the training energies."""
    axis.plot(found.scan["scale"], found.scan["teacher"], "k-", lw=2, alpha=0.4, label="teacher")
    for name, colour in MARKS.items():
        axis.plot(found.scan["scale"], found.scan[name], colour + "--", label=name)
        own = energies(found.frames[name])
        axis.axhline(own.mean(), color=colour, lw=0.7)
        axis.axhline(own.max(), color=colour, lw=0.7, ls=":")
    span = np.ptp(found.scan["teacher"])
    bottom = found.scan["teacher"].min()
    axis.set_ylim(bottom - 0.3 * span, bottom + 1.2 * span)
    axis.set(xlabel="cell scaling", ylabel="energy / eV per atom", title=title)


def augmentation(found: Augmented) -> Any:
    """Energy over scaling, predicted against true, histograms of squared errors."""
    figure, axes = panels(2, 3)
    scaling(found, axes[0, 0], "")
    legend(figure, axes[0, 0])
    for row, quantity, unit in ((0, "energy", "eV/atom"), (1, "forces", "eV/Å")):
        _parity(found, quantity, unit, axes[row, 1])
        _histogram(found, quantity, unit, axes[row, 2])
    _scan_errors(found, axes[1, 0])
    return figure


def _parity(found: Augmented, quantity: str, unit: str, axis: Any) -> None:
    for name, colour in MARKS.items():
        pairs = found.scaled_copies[name].comparisons[quantity]
        r = pairs.statistics()["pearson"]
        label = f"{name}, r = {r:.4f}"
        axis.plot(pairs.reference, pairs.predicted, colour + ".", ms=2, label=label)
    ends = [pairs.reference.min(), pairs.reference.max()]
    axis.plot(ends, ends, "k-", lw=0.7)
    axis.set(xlabel=f"true / {unit}", ylabel=f"predicted / {unit}", title=quantity)
    axis.legend()


def _histogram(found: Augmented, quantity: str, unit: str, axis: Any) -> None:
    squared = {
        name: report.comparisons[quantity].error ** 2
        for name, report in found.scaled_copies.items()
    }
    everything = np.concatenate(list(squared.values()))
    low, high = np.log10(everything[everything > 0].min()), np.log10(everything.max())
    for name, colour in MARKS.items():
        bins = np.logspace(max(low, high - 10), high, 30)
        axis.hist(squared[name], bins, color=colour, alpha=0.5, label=name)
    axis.set(xscale="log", xlabel=f"squared error / ({unit})²", title=quantity)


def _scan_errors(found: Augmented, axis: Any) -> None:
    """What `scaling` shows, as errors."""
    axis.plot(found.scan["scale"], 0 * found.scan["scale"], "k-", lw=0.7)
    for name, colour in MARKS.items():
        error = 1e3 * (found.scan[name] - found.scan["teacher"])
        axis.plot(found.scan["scale"], error, colour + ".-", label=name)
    axis.set(xlabel="cell scaling", ylabel="error / meV/atom", yscale="symlog")


def scans(found: Mapping[str, Augmented]) -> Any:
    """Energy over cell scaling of several materials."""
    figure, axes = panels(2, -(-len(found) // 2), squeeze=False)
    for axis, (name, own) in zip(axes.flat, found.items(), strict=False):
        scaling(own, axis, name)
    legend(figure, axes[0, 0])
    return figure
