"""A picture of a data set: energies, forces, volumes, sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnp.pictures.figure import new_figure, save_figure, styled
from nnp.train.data.baseline import reference_energies
from nnp.train.data.dataset import Dataset


def draw_data(dataset: Dataset, path: str | Path) -> None:
    """Write it; see `data_figure`.

    Raises:
        UnavailableError: matplotlib is missing.
        OptionError: the suffix is none of a picture's.
    """
    save_figure(data_figure(dataset), path)


@styled
def data_figure(dataset: Dataset) -> Any:
    """Energy per atom, sizes of forces, energy over volume; those that there are."""
    offsets = reference_energies(dataset, dataset.elements)
    known = [f for f in dataset if f.energy is not None and len(f)]
    rest = np.array(
        [(f.energy - sum(offsets[s] for s in f.structure.symbols)) / len(f) for f in known]  # type: ignore[operator]
    )
    forces = [np.linalg.norm(f.forces, axis=1) for f in dataset if f.forces is not None]
    volume = np.array(
        [f.structure.volume / len(f) if f.structure.pbc.all() else np.nan for f in known]
    )
    figure = new_figure(11, 3.2)
    energy, force, curve = figure.subplots(1, 3)
    if len(rest):
        energy.hist(rest, bins=min(50, 5 + len(rest) // 4))
    energy.set_xlabel("energy less those of the elements / eV/atom")
    energy.set_ylabel("structures")
    sizes = np.concatenate(forces) if forces else np.empty(0)
    if (sizes > 0).any():
        low, high = np.log10([max(sizes[sizes > 0].min(), 1e-4), sizes.max() * 1.001])
        force.hist(sizes, bins=list(np.logspace(low, high, 50)))
        force.set_xscale("log")
    force.set_xlabel("size of a force / eV/Å")
    force.set_ylabel("atoms")
    if np.isfinite(volume).any():
        for group in dict.fromkeys(f.group for f in known):
            own = np.array([f.group == group for f in known])
            curve.plot(volume[own], rest[own], ".", ms=4, label=group or None)
        if len({f.group for f in known}) in range(2, 11):
            curve.legend(fontsize="x-small")
    curve.set_xlabel("volume per atom / Å³")
    curve.set_ylabel("energy less those of the elements / eV/atom")
    return figure
