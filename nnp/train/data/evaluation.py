"""Errors of a finished potential over labelled structures, per group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError, StructureError
from nnp.evaluation import Evaluation
from nnp.potential import Potential
from nnp.terminal import progress_bar
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure

# Index of the structure, references, predictions.
_Part = tuple[int, NDArray[np.float64], NDArray[np.float64]]

# Quantity, its unit in tables, and the factor from eV/atom, eV/Å, eV/Å³ to that unit.
QUANTITIES = (("energy", "meV/atom", 1e3), ("forces", "eV/Å", 1.0), ("stress", "meV/Å³", 1e3))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Predictions beside references, of one quantity.

    Attributes:
        reference, predicted: (m,) eV/atom, eV/Å or eV/Å³.
        structure: (m,) which structure each number belongs to.
    """

    reference: NDArray[np.float64]
    predicted: NDArray[np.float64]
    structure: NDArray[np.int64]

    @property
    def error(self) -> NDArray[np.float64]:
        """Predicted minus reference."""
        return self.predicted - self.reference

    def of(self, structures: Sequence[int]) -> Comparison:
        """The numbers of some structures."""
        mine = np.isin(self.structure, structures)
        return Comparison(self.reference[mine], self.predicted[mine], self.structure[mine])

    def statistics(self) -> dict[str, float]:
        """MAE, RMSE, largest error and Pearson's r (NaN without spread)."""
        error = self.error
        if not len(error):
            return dict.fromkeys(("mae", "rmse", "max", "pearson"), np.nan)
        spread = self.reference.std() * self.predicted.std()
        product = (self.reference - self.reference.mean()) * self.predicted
        return {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt(np.mean(error**2))),
            "max": float(np.abs(error).max()),
            "pearson": float(product.mean() / spread) if spread > 0 else np.nan,
        }


@dataclass(frozen=True, eq=False)
class EvaluationReport:
    """All comparisons of one potential over one data set.

    Attributes:
        comparisons: by quantity: ``energy`` (per atom), ``forces``, ``stress``.
        groups: structures of each group, ``all`` first.
        extrapolating: structures with at least one extrapolating atom.
        volumes: (structures,) Å³ per atom; NaN where not periodic.
    """

    comparisons: dict[str, Comparison]
    groups: dict[str, list[int]]
    extrapolating: list[int]
    volumes: NDArray[np.float64]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows: group, quantity, number of labels, errors."""
        header = ["group", "quantity", "unit", "labels", "MAE", "RMSE", "max", "Pearson r"]
        rows = []
        for group, members in self.groups.items():
            for name, unit, factor in QUANTITIES:
                chosen = self.comparisons[name].of(members)
                if not len(chosen.error):
                    continue
                s = chosen.statistics()
                numbers = [f"{factor * s[key]:.4f}" for key in ("mae", "rmse", "max")]
                labels = str(len(chosen.error))
                rows.append([group, name, unit, labels, *numbers, f"{s['pearson']:.6f}"])
        return header, rows


def evaluate(
    potential: Potential, dataset: Dataset, engine: str = "cpu", quiet: bool = True
) -> EvaluationReport:
    """Compare a potential with the labels of a data set.

    Args:
        potential: what to judge.
        dataset: labelled structures.
        engine: name of the engine.
        quiet: whether to hide the progress bar.

    Raises:
        StructureError: no structure has a label, or the potential cannot evaluate one; names
            file and index.
    """
    if not dataset.labels:
        raise StructureError(
            f"none of the {len(dataset)} structures has an energy, forces or a stress to compare "
            "with: name the labels' keys (LabelKeys; --energy-key, --forces-key …)"
        )
    parts: dict[str, list[_Part]] = {name: [] for name, _, _ in QUANTITIES}
    extrapolating, volumes = [], []
    for index, frame in enumerate(progress_bar(dataset, unit="structure", disable=quiet or None)):
        periodic = bool(frame.structure.pbc.all())
        volumes.append(frame.structure.volume / len(frame) if periodic else np.nan)
        stress = frame.stress is not None and periodic
        try:
            found = potential.evaluate(frame.structure, engine, stress=stress)
        except NNPError as error:
            raise type(error)(f"{frame.where}: {error}") from error
        if len(found.extrapolations):
            extrapolating.append(index)
        for name, reference, predicted in _pairs(frame, found):
            parts[name].append((index, reference, predicted))
    groups = {"all": list(range(len(dataset)))}
    for name in dataset.groups if len(dataset.groups) > 1 else ():
        groups[name or "(none)"] = [i for i, f in enumerate(dataset) if f.group == name]
    comparisons = {name: _joined(found_parts) for name, found_parts in parts.items()}
    return EvaluationReport(comparisons, groups, extrapolating, np.array(volumes))


def _pairs(
    frame: LabelledStructure, found: Evaluation
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Quantity, reference and prediction, flat, where both are known."""
    if frame.energy is not None:
        n = len(frame)
        yield "energy", np.array([frame.energy / n]), np.array([found.energy / n])
    if frame.forces is not None and found.forces is not None:
        yield "forces", frame.forces.ravel(), found.forces.ravel()
    if frame.stress is not None and found.stress is not None:
        yield "stress", frame.stress, found.stress


def _joined(parts: list[_Part]) -> Comparison:
    empty = [np.empty(0)]
    index = [np.full(len(reference), i) for i, reference, _ in parts]
    return Comparison(
        np.concatenate([reference for _, reference, _ in parts] or empty),
        np.concatenate([predicted for _, _, predicted in parts] or empty),
        np.concatenate(index or empty).astype(np.int64),
    )
