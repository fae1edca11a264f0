"""Functions of Behler 2011 as ænet numbers and evaluates them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import FileFormatError
from nnp.functions import Angular, Radial, RadialCosine, SymmetryFunction


class Listed(Protocol):
    """What lists functions: a potential's file or a set-up; see `nnp.io.aenet.record.Record`."""

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def environment(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def kinds(self) -> NDArray[np.int64]: ...  # noqa: D102

    @property
    def parameters(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def neighbors(self) -> NDArray[np.int64]: ...  # noqa: D102


def behler_functions(record: Listed) -> list[SymmetryFunction]:
    """The functions in the order of evaluation, which is that of statistics and weights.

    For each element of the environment its G1, G2, G3, then for each pair of it and a later one
    G4, G5; within one kind in the file's order.

    Raises:
        FileFormatError: a function that ænet does not have.
    """
    keys = [_place(record, number) for number in range(len(record.kinds))]
    order = sorted(range(len(keys)), key=lambda number: keys[number])
    return [_function(record, number) for number in order]


def _place(record: Listed, number: int) -> tuple[int, int, int]:
    """First element, second element (0: radial), kind."""
    kind = int(record.kinds[number])
    first, second = (int(n) for n in record.neighbors[number])
    n = len(record.environment)
    angular = kind in (4, 5)
    if kind not in (1, 2, 3, 4, 5) or not 1 <= first <= n or not (1 <= second <= n or not angular):
        raise FileFormatError(
            f"{record.path}: function {number + 1} is G{kind} of elements {first}, {second}: ænet "
            f"has G1 to G5, and this file {n} elements"
        )
    if not angular:
        return first, 0, kind
    return min(first, second), max(first, second), kind


def _function(record: Listed, number: int) -> SymmetryFunction:
    kind = int(record.kinds[number])
    radius, *rest = (float(value) for value in record.parameters[number])
    cutoff = Cutoff(CutoffKind.COSINE, radius)
    first, second, _ = _place(record, number)
    one = record.environment[first - 1]
    if kind == 1:
        return Radial(one, 0.0, 0.0, cutoff)
    if kind == 2:
        return Radial(one, rest[1], rest[0], cutoff)
    if kind == 3:
        return RadialCosine(one, rest[0], cutoff)
    pair = (one, record.environment[second - 1])
    return Angular(
        neighbors=pair, eta=rest[2], lambda_=rest[0], zeta=rest[1], r_shift=0.0, cutoff=cutoff,
        narrow=kind == 4,
    )  # fmt: skip
