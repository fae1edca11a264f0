"""What is compared: optimisers, activations, data, functions, and the augmented set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from materials_parts.fitting import (
    ACTIVATIONS,
    OPTIMISERS,
    Fit,
    Recipe,
    as_lists,
    epochs_for,
    fit,
    judge,
    with_seeds,
)
from materials_parts.sampling import SCALE, Labels
from nnp.train.data.evaluation import EvaluationReport

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How much is compared.

    Attributes:
        optimiser_seeds: fits per optimiser.
        seeds: fits per point of everything else.
        frames: per temperature, of the training set of most fits.
        stride: between these frames.
        cutoffs: Å.
        sizes: frames per temperature.
        strides: between frames, for the interval of snapshots.
        strided: frames per temperature there.
        mixture: structures of the augmented set, and of the set of dynamics beside it.
        shorten: divides epochs.
    """

    optimiser_seeds: int = 5
    seeds: int = 3
    frames: int = 5
    stride: int = 12
    cutoffs: tuple[float, ...] = (2.0, 3.0, 4.0, 5.0, 6.0)
    sizes: tuple[int, ...] = (1, 2, 5, 10, 20)
    strides: tuple[int, ...] = (1, 2, 4, 8)
    strided: int = 7
    mixture: int = 80
    shorten: int = 1


FULL = Extent()
QUICK = Extent(2, 1, 2, 2, (2.0, 4.0), (1, 2), (1, 2), 2, 8, 4)


@dataclass(frozen=True, eq=False)
class Bench:
    """Everything that all comparisons of a material share.

    Attributes:
        labels: of the material.
        extent: how much.
        folder: scratch.
        done: fits by recipe and training set, so that none is made twice.
    """

    labels: Labels
    extent: Extent
    folder: Path
    done: dict[tuple[Any, ...], Fit] = field(default_factory=dict)

    @property
    def usual(self) -> list[Atoms]:
        """The training set of most fits."""
        return self.labels.every(self.extent.stride, self.extent.frames)

    def fits(self, recipe: Recipe, frames: Sequence[Atoms], seeds: int = 0) -> list[Fit]:
        """One fit per seed, judged over the test frames."""
        epochs = recipe.epochs or OPTIMISERS[recipe.optimiser][1]
        recipe = replace(recipe, epochs=max(2, epochs // self.extent.shorten))
        return [self._fit(own, frames) for own in with_seeds(recipe, seeds or self.extent.seeds)]

    def _fit(self, recipe: Recipe, frames: Sequence[Atoms]) -> Fit:
        key = (replace(recipe, curves=False), *map(id, frames))
        if key not in self.done:
            self.done[key] = fit(recipe, frames, self.labels.test, self.folder)
        return self.done[key]

    def over(self, cases: Iterable[tuple[Any, Recipe, Sequence[Atoms]]]) -> dict[str, Numbers]:
        """Numbers of each case by its name."""
        return {str(name): as_lists(self.fits(r, frames)) for name, r, frames in cases}


def optimisers(bench: Bench) -> tuple[dict[str, Numbers], dict[str, list[Fit]]]:
    """Each optimiser over the seeds: numbers, and the fits for their curves."""
    found = {
        name: bench.fits(Recipe(name, curves=True), bench.usual, bench.extent.optimiser_seeds)
        for name in OPTIMISERS
    }
    return {name: as_lists(fits) for name, fits in found.items()}, found


def activations(bench: Bench) -> dict[str, Numbers]:
    """Each activation of the hidden layers."""
    return bench.over((name, Recipe(activation=name), bench.usual) for name in ACTIVATIONS)


def cutoffs(bench: Bench) -> dict[str, Numbers]:
    """Cutoff radii, Å."""
    return bench.over((r, Recipe(cutoff=r), bench.usual) for r in bench.extent.cutoffs)


def without_angular(bench: Bench) -> dict[str, Numbers]:
    """Radial functions only, beside the same with angular ones."""
    return bench.over(
        (name, Recipe(angular=angular), bench.usual)
        for name, angular in (("radial and angular", True), ("radial only", False))
    )


def sizes(bench: Bench) -> dict[str, Numbers]:
    """Number of training structures, evenly over each trajectory, by equally many updates."""
    extent, cases = bench.extent, []
    whole = extent.stride * extent.frames
    for per_temperature in extent.sizes:
        frames = bench.labels.every(max(1, whole // per_temperature), per_temperature)
        cases.append((len(frames), Recipe(epochs=epochs_for(frames)), frames))
    return bench.over(cases)


def intervals(bench: Bench) -> dict[str, Numbers]:
    """Time between snapshots, fs, at the same number of them."""
    extent, interval = bench.extent, bench.labels.interval_fs
    frames = {s: bench.labels.every(s, extent.strided) for s in extent.strides}
    return bench.over((f"{interval * s:g}", Recipe(), frames[s]) for s in extent.strides)


@dataclass(frozen=True, eq=False)
class Augmented:
    """Fits to dynamics only and to the augmented set.

    Attributes:
        fits: by the name of the set.
        frames: training structures of each.
        dynamics, scaled_copies: each judged over test frames, and over scaled copies of them.
        scan: each over cell scaling: (n,) predicted eV per atom; ``scale`` and ``teacher`` too.
    """

    fits: dict[str, Fit]
    frames: dict[str, list[Atoms]]
    dynamics: dict[str, EvaluationReport]
    scaled_copies: dict[str, EvaluationReport]
    scan: dict[str, np.ndarray]


def augmented(bench: Bench) -> Augmented:
    """The ±10 % set, 80 to 20, against dynamics only, with equally many structures."""
    labels, count = bench.labels, bench.extent.mixture
    every = np.linspace(0, len(labels.dynamics) - 1, count).round().astype(int)
    frames = {
        "MD only": [labels.dynamics[i] for i in every],
        "augmented": labels.mixture(count),
    }
    recipe = Recipe()
    fits = {
        name: bench.fits(replace(recipe, epochs=epochs_for(own)), own, 1)[0]
        for name, own in frames.items()
    }
    scan = {
        name: judge(found.potential, labels.scaled).comparisons["energy"].predicted
        for name, found in fits.items()
    }
    scan["scale"] = np.array([atoms.info["scale"] for atoms in labels.scaled])
    scan["teacher"] = energies(labels.scaled)
    return Augmented(
        fits,
        frames,
        {name: judge(found.potential, labels.test) for name, found in fits.items()},
        {name: judge(found.potential, labels.augmented_test) for name, found in fits.items()},
        scan,
    )


def energies(frames: Sequence[Atoms]) -> np.ndarray:
    """(n,) labels, eV per atom."""
    return np.array([atoms.get_potential_energy() / len(atoms) for atoms in frames])


def augmented_numbers(found: Augmented) -> Numbers:
    """Errors by training set, kind of test structures and quantity; scan errors in meV/atom."""
    numbers: Numbers = {}
    for name, fitted in found.fits.items():
        reports = {"dynamics": found.dynamics[name], "scaled": found.scaled_copies[name]}
        own = energies(found.frames[name])
        within = abs(found.scan["scale"] - 1) <= SCALE + 1e-9
        error = 1e3 * (found.scan[name] - found.scan["teacher"])
        numbers[name] = {
            "structures": len(found.frames[name]),
            "seconds": fitted.seconds,
            "training mean": float(own.mean()),
            "training max": float(own.max()),
            "scan RMSE": float(np.sqrt(np.mean(error[within] ** 2))),
            "scan max": float(abs(error[within]).max()),
        }
        for kind, report in reports.items():
            numbers[name][kind] = {
                quantity: report.comparisons[quantity].statistics()
                for quantity in ("energy", "forces")
            }
            numbers[name][kind]["extrapolating"] = len(report.extrapolating)
            numbers[name][kind]["structures"] = len(report.groups["all"])
    return numbers
