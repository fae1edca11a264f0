"""A picture of measurements over sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnp.bench.measurement import Measurement
from nnp.pictures.figure import new_figure, save_figure, styled


@styled
def draw_scaling(measurements: Sequence[Measurement], path: str | Path, title: str) -> None:
    """Atom-steps per second and ns/day over atoms, a line per subject; bars are quartiles.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    figure = new_figure(11, 5.5)
    rates, days = figure.subplots(1, 2)
    for number, subject in enumerate(dict.fromkeys(m.subject for m in measurements)):
        found = sorted((m for m in measurements if m.subject == subject), key=lambda m: m.n_atoms)
        dashed = "--" if subject.startswith("LAMMPS") else "-"
        look = {"marker": "o", "markersize": 4, "linestyle": dashed, "color": f"C{number}"}
        atoms, rate = [m.n_atoms for m in found], [m.rate for m in found]
        low, high = [m.rate - m.slow for m in found], [m.fast - m.rate for m in found]
        rates.errorbar(atoms, rate, yerr=(low, high), label=subject, **look)
        timed = [m for m in found if m.ns_per_day is not None]
        days.plot([m.n_atoms for m in timed], [m.ns_per_day for m in timed], **look)
    for axes, label in ((rates, "atom-steps per second"), (days, "ns per day")):
        axes.set(xscale="log", yscale="log", xlabel="atoms", ylabel=label)
        axes.grid(which="major", alpha=0.3)
    figure.suptitle(title)
    figure.legend(*rates.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    save_figure(figure, path)
