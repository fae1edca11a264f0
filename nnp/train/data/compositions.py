"""Whether compositions tell an energy per element, and what it means where they do not.

Networks learn what least squares over the compositions leave. Where all structures have nearly the
same composition, any energies with the same sum serve as well: nothing is wrong within that
composition, and energies of others mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnp.train.data.dataset import Dataset
from nnp.train.data.findings import Finding

# Singular value of the compositions, relative to the largest, below which they tell nothing; and
# an element's share of such a direction from which it is one of those concerned.
_INDEPENDENT, _SHARE = 1e-3, 1e-2
# The same, below which they tell little: too little where the standard error of an energy per
# element is larger than this, eV.
_ALIKE, _LARGEST_ERROR = 0.1, 0.5


def undetermined(
    dataset: Dataset, elements: Sequence[str], given: Mapping[str, float] | None = None
) -> tuple[str, ...]:
    """Elements whose energies the compositions do not tell.

    Args:
        dataset: structures; those with energies count.
        elements: symbols.
        given: energies that are known, eV.

    Returns:
        Symbols in the order of ``elements``; none where there are no energies.
    """
    given = given or {}
    free = [symbol for symbol in elements if symbol not in given]
    known = [frame for frame in dataset if frame.energy is not None and len(frame)]
    if not known or not free:
        return ()
    counts = [frame.structure.symbols for frame in known]
    shares = np.array([[own.count(s) / len(own) for s in free] for own in counts])
    targets = np.array(
        [
            (frame.energy - sum(given.get(s, 0.0) for s in own)) / len(own)
            for frame, own in zip(known, counts, strict=True)
            if frame.energy is not None
        ]
    )
    # Of R, whose singular values are the same: there may be as many compositions as structures.
    small = np.linalg.qr(np.unique(shares, axis=0), mode="r")
    singular, axes = np.linalg.svd(small, full_matrices=True)[1:]
    rank = int(np.count_nonzero(singular > _INDEPENDENT * singular[0]))
    concerned = (np.abs(axes[rank:]) > _SHARE).any(axis=0)
    if rank == len(free) < len(known) and singular[-1] < _ALIKE * singular[0]:
        left = targets - shares @ np.linalg.lstsq(shares, targets)[0]
        variance = float(left @ left) / (len(known) - len(free))
        errors = np.sqrt(variance * np.diag(np.linalg.inv(shares.T @ shares)))
        concerned = errors > _LARGEST_ERROR
    return tuple(symbol for symbol, own in zip(free, concerned, strict=True) if own)


def composition_finding(symbols: Sequence[str]) -> Finding:
    """What to report about a data set with such elements."""
    return Finding(
        "compositions",
        f"they do not determine an energy per element ({' '.join(symbols)} always in nearly the "
        "same ratios): the least-squares ones are not atomic energies, and energies of other "
        "compositions will mean nothing; energies of isolated atoms help (in the data, or as "
        "reference_energies in [data])",
    )
