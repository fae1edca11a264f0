"""What is subtracted from the labels, so that the networks need not learn it.

A baseline first, which is calculators (`nnp.baseline`) and terms (`nnp.terms`), then a reference
energy per atom of each element.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline, BaselineResult, BaselineSum
from nnp.errors import NNPError, OptionError
from nnp.evaluation import voigt
from nnp.structure import Structure
from nnp.terminal import progress_bar
from nnp.terms import RepulsionTerm
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.repulsion import RepulsionSettings


@dataclass(frozen=True)
class BaselineSettings:
    """[baseline]: what the networks are fitted on top of.

    What it computes is subtracted from energies, forces and stresses before the fit and added by
    the finished potential.

    Attributes:
        calculators: calculators by name with their options, see `nnp.teachers.by_name`.
        zbl: ZBL repulsion at short distances, a term of the finished potential; None: none.
    """

    calculators: dict[str, dict[str, Any]] = field(default_factory=dict)
    zbl: RepulsionSettings | None = None

    @property
    def parts(self) -> tuple[Baseline, ...]:
        """Calculators as the finished potential has them."""
        return tuple(Baseline(name, options) for name, options in self.calculators.items())

    def terms(self, elements: Sequence[str]) -> tuple[RepulsionTerm, ...]:
        """As the finished potential of these elements has them.

        Raises:
            OptionError: one names another element.
        """
        return () if self.zbl is None else (self.zbl.term(elements),)


def without_baseline(
    dataset: Dataset,
    baseline: BaselineSum,
    terms: Sequence[RepulsionTerm] = (),
    quiet: bool = True,
) -> Dataset:
    """The structures with the labels that are left when a baseline is subtracted.

    Args:
        dataset: structures with any labels.
        baseline: calculators that are subtracted.
        terms: that are subtracted.
        quiet: whether to hide the progress bar.

    Raises:
        StructureError: the baseline cannot compute a structure; names file and index.
    """
    frames = progress_bar(dataset, desc="baseline", unit="structure", disable=quiet or None)
    return Dataset(tuple(_rest(frame, baseline, terms) for frame in frames))


def _rest(
    frame: LabelledStructure, baseline: BaselineSum, terms: Sequence[RepulsionTerm]
) -> LabelledStructure:
    forces, stress = frame.forces is not None, frame.stress is not None
    if frame.energy is None and not (forces or stress):
        return frame
    try:
        found = baseline.compute(frame.structure, forces, stress)
        for term in terms:
            found = _with_term(found, term, frame.structure)
    except NNPError as error:
        raise type(error)(f"{frame.where}: {error}") from error
    energy = None if frame.energy is None else frame.energy - float(found.energies.sum())
    force, tension = _less(frame.forces, found.forces), _less(frame.stress, found.stress)
    return replace(frame, energy=energy, forces=force, stress=tension)


def _with_term(found: BaselineResult, term: RepulsionTerm, structure: Structure) -> BaselineResult:
    added = term.compute(structure)
    stress = found.stress
    if stress is not None:
        stress = stress + voigt(added.virials.sum(axis=0) / structure.volume)
    forces = None if found.forces is None else found.forces + added.forces
    return BaselineResult(found.energies + added.energies, forces, stress)


def _less(
    label: NDArray[np.float64] | None, taken: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    return None if label is None or taken is None else label - taken


def reference_energies(
    dataset: Dataset, elements: Sequence[str], given: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Energy per atom of each element: given, or by least squares over the energies.

    E ≈ Σ_X n_X e_X; where compositions do not tell elements apart, the smallest solution.

    Args:
        dataset: structures, some with energies.
        elements: symbols.
        given: eV; elements that it names are kept.

    Raises:
        OptionError: ``given`` names another element.
    """
    given = dict(given or {})
    for symbol in given:
        if symbol not in elements:
            raise OptionError(
                f"a reference energy is given for {symbol!r}: allowed are {', '.join(elements)}"
            )
    free = [symbol for symbol in elements if symbol not in given]
    rows, targets = [], []
    for frame in dataset:
        if frame.energy is None or not len(frame):
            continue
        symbols = frame.structure.symbols
        n = len(frame)
        rows.append([symbols.count(symbol) / n for symbol in free])
        targets.append((frame.energy - sum(given.get(s, 0.0) for s in symbols)) / n)
    offsets = {symbol: float(value) for symbol, value in given.items()}
    if free:
        solution = np.linalg.lstsq(np.array(rows), np.array(targets))[0] if rows else np.zeros(9)
        offsets |= {symbol: float(e) for symbol, e in zip(free, solution, strict=False)}
    return {symbol: offsets.get(symbol, 0.0) for symbol in elements}
