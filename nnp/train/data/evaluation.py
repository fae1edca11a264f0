"""Errors of a finished potential over labelled structures, per group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.committee import CommitteeEvaluation
from nnp.elements import chemical_symbol
from nnp.engines import engine_for
from nnp.errors import NNPError, StructureError
from nnp.evaluation import Evaluation
from nnp.potential import Potential
from nnp.terminal import progress_bar
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure

_Floats = NDArray[np.float64]

# Quantity, its unit in tables, and the factor from eV/atom, eV/Å, eV/Å³ to that unit.
QUANTITIES = (("energy", "meV/atom", 1e3), ("forces", "eV/Å", 1.0), ("stress", "meV/Å³", 1e3))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Predictions beside references, of one quantity.

    Attributes:
        reference, predicted: (m,) eV/atom, eV/Å or eV/Å³.
        structure: (m,) which structure each number belongs to.
        element: (m,) atomic number, of forces; 0 else.
        spread: (m,) standard deviation over a committee's members; NaN without.
    """

    reference: _Floats
    predicted: _Floats
    structure: NDArray[np.int64]
    element: NDArray[np.int64] | None = None
    spread: _Floats | None = None

    @property
    def error(self) -> NDArray[np.float64]:
        """Predicted minus reference."""
        return self.predicted - self.reference

    def of(self, structures: Sequence[int]) -> Comparison:
        """The numbers of some structures."""
        return self._where(np.isin(self.structure, structures))

    def of_element(self, number: int) -> Comparison:
        """The forces on atoms of one element, by its atomic number."""
        if self.element is None:
            return self
        return self._where(self.element == number)

    def _where(self, mine: NDArray[np.bool_]) -> Comparison:
        element = None if self.element is None else self.element[mine]
        spread = None if self.spread is None else self.spread[mine]
        return Comparison(
            self.reference[mine], self.predicted[mine], self.structure[mine], element, spread
        )

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
        frames: the structures with their labels.
        predicted_forces: of each structure, (n, 3) eV/Å.
    """

    comparisons: dict[str, Comparison]
    groups: dict[str, list[int]]
    extrapolating: list[int]
    volumes: _Floats
    frames: tuple[LabelledStructure, ...] = ()
    predicted_forces: tuple[_Floats, ...] = ()

    @property
    def elements(self) -> dict[str, int]:
        """Atomic number of each element that has forces to compare, by symbol."""
        found = self.comparisons["forces"].element
        numbers = [] if found is None else np.unique(found).tolist()
        return {chemical_symbol(number): number for number in numbers}

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
    potential: Potential, dataset: Dataset, engine: str | None = None, quiet: bool = True
) -> EvaluationReport:
    """Compare a potential with the labels of a data set.

    Args:
        potential: what to judge.
        dataset: labelled structures.
        engine: name of the engine; None: as `nnp.engines.engine_for` says.
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
    parts: dict[str, list[Comparison]] = {name: [] for name, _, _ in QUANTITIES}
    extrapolating, volumes, forces = [], [], []
    engine = engine or engine_for(potential)
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
        forces.append(found.forces if found.forces is not None else np.empty((0, 3)))
        for name, comparison in _pairs(index, frame, found):
            parts[name].append(comparison)
    groups = {"all": list(range(len(dataset)))}
    for name in dataset.groups if len(dataset.groups) > 1 else ():
        groups[name or "(none)"] = [i for i, f in enumerate(dataset) if f.group == name]
    comparisons = {name: _joined(found_parts) for name, found_parts in parts.items()}
    return EvaluationReport(
        comparisons, groups, extrapolating, np.array(volumes), dataset.frames, tuple(forces)
    )


def _pairs(
    index: int, frame: LabelledStructure, found: Evaluation
) -> Iterator[tuple[str, Comparison]]:
    """Quantities whose label and prediction are known."""
    members = found if isinstance(found, CommitteeEvaluation) else None
    n = len(frame)
    if frame.energy is not None:
        spread = None if members is None else np.array([members.energy_deviation / n])
        yield "energy", _comparison(index, np.array([frame.energy / n]), found.energy / n, spread)
    if frame.forces is not None and found.forces is not None:
        element = np.repeat(frame.structure.atomic_numbers, 3)
        spread = None if members is None else members.forces_deviation
        yield "forces", _comparison(index, frame.forces, found.forces, spread, element)
    if frame.stress is not None and found.stress is not None:
        spread = None if members is None else members.stress_deviation
        yield "stress", _comparison(index, frame.stress, found.stress, spread)


def _comparison(
    index: int,
    reference: _Floats,
    predicted: _Floats | float,
    spread: _Floats | None,
    element: NDArray[np.int64] | None = None,
) -> Comparison:
    count = reference.size
    return Comparison(
        reference.ravel(),
        np.ravel(predicted).astype(np.float64),
        np.full(count, index, np.int64),
        np.zeros(count, np.int64) if element is None else element,
        np.full(count, np.nan) if spread is None else spread.ravel(),
    )


def _joined(parts: list[Comparison]) -> Comparison:
    def together(arrays: list[Any], kind: type) -> Any:
        return np.concatenate(arrays) if arrays else np.empty(0, kind)

    return Comparison(
        together([part.reference for part in parts], np.float64),
        together([part.predicted for part in parts], np.float64),
        together([part.structure for part in parts], np.int64),
        together([part.element for part in parts], np.int64),
        together([part.spread for part in parts], np.float64),
    )
