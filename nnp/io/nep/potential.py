"""A ``nep.txt`` as a `Potential`: descriptors as functions of moments, networks per element."""

from __future__ import annotations

from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.cutoffs import CutoffKind
from nnp.elements import atomic_number
from nnp.errors import FileFormatError
from nnp.functions import Argument, RadialSeries
from nnp.io.nep.basis import to_series
from nnp.io.nep.columns import nep_functions
from nnp.io.nep.file import NepFile, read_file
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import NO_RANGE, Scaling, ScalingMode
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.units import METAL


def read(path: str | Path) -> Potential:
    """Read a ``nep.txt``; units are Å and eV.

    Raises:
        FileFormatError: the file breaks the format, or is of a kind that is not supported.
    """
    file = read_file(path)
    if (file.scaler <= 0).any():
        raise FileFormatError(f"{path}: a scaling factor of the descriptors is not positive")
    order = sorted(file.header.elements, key=atomic_number)
    models = tuple(_model(file, file.header.elements.index(symbol)) for symbol in order)
    about: dict[str, Any] = {"read_from": str(path), "format": f"NEP{file.header.version}"}
    about["file_elements"] = " ".join(file.header.elements)  # what `write` keeps of the file
    if file.header.hints is not None:
        about["most_neighbors"] = list(file.header.hints)
    return Potential(models, units=METAL, provenance=about, terms=_repulsion(file))


def _repulsion(file: NepFile) -> tuple[RepulsionTerm, ...]:
    """The file's ZBL: universal, or with radii and screening of its own for each pair."""
    radii = file.repulsion_radii()
    if radii is None:
        return ()
    inner, outer = radii
    pairs = []
    elements = list(enumerate(file.header.elements))
    places = combinations_with_replacement(elements, 2)
    for number, ((i, first), (j, second)) in enumerate(places):
        ends = (float(inner[i, j]), float(outer[i, j]))
        if ends[1] == 0:
            continue
        screening: tuple[tuple[float, ...], ...] = ()
        if file.flexible is not None:
            numbers = file.flexible[number, 2:].tolist()
            screening = (tuple(numbers[::2]), tuple(numbers[1::2]))
        pairs.append(PairRepulsion((first, second), *ends, *screening))
    return (RepulsionTerm(tuple(pairs)),)


def _model(file: NepFile, element: int) -> ElementModel:
    functions = nep_functions(
        _series(file, element, file.radial, angular=False),
        _series(file, element, file.angular, angular=True),
        file.header.l_max,
        file.header.switches,
    )
    order = sorted(range(len(functions)), key=lambda column: functions[column].order)
    zeros = np.zeros(len(order))
    # A file holds the width of each descriptor's range, not where it lies.
    scaling = Scaling(
        zeros - NO_RANGE, zeros + NO_RANGE, zeros, 1 / file.scaler[order], ScalingMode.SCALE_SIGMA
    )
    network = Network(
        (file.weights[element][order], file.output[element][:, None]),
        (-file.biases[element], -file.output_biases[element : element + 1]),
        (Activation.TANH, Activation.IDENTITY),
    )
    symbol = file.header.elements[element]
    return ElementModel(symbol, tuple(functions[column] for column in order), scaling, network)


def _series(file: NepFile, element: int, c: NDArray[np.float64], angular: bool) -> RadialSeries:
    """The file's coefficients as plain Chebyshev series, [neighbour][n][k]."""
    own = to_series(np.ascontiguousarray(np.moveaxis(c[:, :, element, :], 2, 0)))
    return RadialSeries(
        Argument.SQUARE,
        CutoffKind.COSINE,
        0.0,
        file.header.elements,
        tuple(file.cutoffs(angular)[element].tolist()),
        tuple(own.tolist()),
    )
