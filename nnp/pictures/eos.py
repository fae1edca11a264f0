"""One page of pictures of a crystal: energy over volume, phonons, heat capacity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnp.analysis.results import Analysis
from nnp.pictures.analysis import write_numbers
from nnp.pictures.figure import new_figure, save_figure, styled


@styled
def plot_eos(found: Analysis, path: str | Path) -> None:
    """Draw what `nnp.analysis.eos.equation_of_state` found; an existing picture is replaced.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    with_phonons = "phonon_bands" in found.curves
    figure = new_figure(11, 7 if with_phonons else 4)
    axes = figure.subplots(2 if with_phonons else 1, 2, squeeze=False)
    _energy(axes[0, 0], found)
    write_numbers(axes[0, 1], [found])
    if with_phonons:
        _bands(axes[1, 0], found)
        _density(axes[1, 1], found)
    save_figure(figure, path)


def _energy(axis: Any, found: Analysis) -> None:
    fit, points = (found.curves[name] for name in ("birch_murnaghan", "energy_volume"))
    line, energies = (curve.values["energy_eV_per_atom"] for curve in (fit, points))
    least = line.min()
    axis.plot(fit.x, 1000 * (line - least), color="C1", linewidth=1, label="Birch-Murnaghan")
    axis.plot(points.x, 1000 * (energies - least), "o", color="C0", markersize=4, label=found.name)
    axis.set(xlabel="volume / Å³ per atom", ylabel="energy − least / meV per atom")
    axis.legend(fontsize="small")


def _bands(axis: Any, found: Analysis) -> None:
    curve = found.curves["phonon_bands"]
    for values in curve.values.values():
        axis.plot(curve.x, values, color="C0", linewidth=0.8)
    names = [label.split(" ", 1)[1] for label in found.about["special points"]]
    places = list(found.about["special points"].values())
    for place in places:
        axis.axvline(place, color="0.7", linewidth=0.6)
    axis.axhline(0.0, color="0.7", linewidth=0.6)
    axis.set_xticks(places, [name.replace("G", "Γ") for name in names])
    axis.set(xlim=(curve.x[0], max(curve.x[-1], places[-1])), ylabel="frequency / THz")


def _density(axis: Any, found: Analysis) -> None:
    density = found.curves["phonon_density"]
    (values,) = density.values.values()
    axis.fill_between(density.x, values, color="C0", alpha=0.4, linewidth=0)
    axis.set(xlabel="frequency / THz", ylabel="states / 1/THz per atom", ylim=(0, None))
    axis.set_xlim(min(0.0, float(density.x[np.flatnonzero(values > 1e-6)[0]])), None)
    heat = found.curves["phonon_thermodynamics"]
    inset = axis.inset_axes((0.1, 0.55, 0.35, 0.4))
    inset.plot(heat.x, heat.values["C_V_J_per_mol_K"], color="C3", linewidth=1)
    inset.set_xlabel("T / K", fontsize="x-small")
    inset.set_ylabel("C_V / J/(mol K)", fontsize="x-small")
    inset.tick_params(labelsize="x-small")
