"""Reference energies of the elements: what the networks need not learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnp.errors import OptionError
from nnp.train.data.dataset import Dataset


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
