"""A `Potential` as a ``nep.txt``, where it is one; else the reason why not.

NEP4 is written, which GPUMD, NEP_CPU and calorine read today, whatever version was read. Z. Fan et
al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import refuse_baseline
from nnp.committee import Committee
from nnp.io.files import replacing
from nnp.io.nep.basis import from_series
from nnp.io.nep.columns import Layout, layout_of, no_nep, series_of
from nnp.io.nep.digits import shortest
from nnp.io.nep.file import NepFile
from nnp.io.nep.header import Header
from nnp.io.nep.lengths import cutoff_line, neighbor_hints, repulsion_lines
from nnp.io.nep.text import file_text
from nnp.networks import Activation
from nnp.potential import ElementModel, Potential

Array = NDArray[np.float64]


def write(potential: Potential, path: str | Path, force: bool = False) -> None:
    """Write a ``nep.txt``.

    Args:
        potential: its functions are NEP's, its networks have one hidden layer of tanh.
        path: the file.
        force: whether to overwrite.

    Raises:
        OptionError: the potential is not a NEP; the message says why.
        OutputExistsError: the file is there and ``force`` is False.
    """
    text = file_text(nep_file(potential))
    with replacing(path, force) as scratch:
        scratch.write_text(text, "ascii")


def nep_file(potential: Potential) -> NepFile:
    """The potential as a file's arrays.

    Raises:
        OptionError: it is not a NEP.
    """
    if isinstance(potential, Committee):
        raise no_nep("it is a committee, and a nep.txt has one network: write its members")
    refuse_baseline(potential.baseline, "a nep.txt")
    models = _in_file_order(potential)
    elements = tuple(model.symbol for model in models)
    layout = layout_of(models)
    scaler = _common_scaler([_inputs(model, layout)[0] for model in models])
    networks = [_hidden_layer(m, layout, scaler, potential.energy_scale) for m in models]
    common = -networks[0].bias
    if any(network.bias != networks[0].bias for network in networks):
        networks = [network.with_constant(common) for network in networks]
    neurons = max(len(network.output) for network in networks)
    networks = [network.padded(neurons) for network in networks]
    radial, angular = (_coefficients(models, which) for which in (0, 1))
    cutoffs = cutoff_line(_radii(models, 0), _radii(models, 1), elements)
    zbl, flexible = repulsion_lines(potential.terms, elements)
    header = Header(
        version=4,
        elements=elements,
        zbl=zbl,
        cutoffs=cutoffs,
        hints=_hints(potential, _radii(models, 0).max(), _radii(models, 1).max()),
        n_radial=layout.n_radial,
        n_angular=layout.n_angular,
        k_radial=radial.shape[1],
        k_angular=angular.shape[1],
        l_max=layout.l_max,
        switches=layout.switches,
        neurons=neurons,
    )
    return NepFile(
        header,
        tuple(network.weights for network in networks),
        tuple(-network.biases for network in networks),
        tuple(network.output for network in networks),
        np.full(len(models), common),
        radial,
        angular,
        np.array([_as_decimal(factor) for factor in scaler.tolist()]),
        flexible,
    )


@dataclass(frozen=True, eq=False)
class _HiddenLayer:
    """w · tanh(W p + b) + bias of one element: (D, N), (N,), (N,), a number."""

    weights: Array
    biases: Array
    output: Array
    bias: float

    def with_constant(self, common: float) -> _HiddenLayer:
        """Its own bias as a neuron that sees nothing, beside that of all elements, subtracted."""
        size = (self.bias + common) / math.tanh(1.0)
        return _HiddenLayer(
            np.pad(self.weights, ((0, 0), (0, 1))),
            np.append(self.biases, 1.0),
            np.append(self.output, size),
            -common,
        )

    def padded(self, neurons: int) -> _HiddenLayer:
        """With neurons that give nothing."""
        more = neurons - len(self.output)
        weights = np.pad(self.weights, ((0, 0), (0, more)))
        biases, output = (np.pad(values, (0, more)) for values in (self.biases, self.output))
        return _HiddenLayer(weights, biases, output, self.bias)


def _in_file_order(potential: Potential) -> list[ElementModel]:
    """The elements as the file had them that the potential came from; else by atomic number."""
    models = {model.symbol: model for model in potential.models}
    order = str(potential.provenance.get("file_elements", "")).split()
    return [models[symbol] for symbol in (order if set(order) == set(models) else models)]


def _hints(potential: Potential, radial: float, angular: float) -> tuple[int, int]:
    known = potential.provenance.get("most_neighbors")
    if isinstance(known, list) and len(known) == 2 and all(isinstance(n, int) for n in known):
        return known[0], known[1]
    return neighbor_hints(radial, angular)


def _inputs(model: ElementModel, layout: Layout) -> tuple[Array, Array]:
    """(D,) factor and offset of each descriptor in the network's input; 0 where it has none."""
    factors, offsets = np.zeros(layout.width), np.zeros(layout.width)
    seen = np.zeros(layout.width, bool)
    scaled = zip(model.functions, model.scaling.factor, model.scaling.offset, strict=True)
    for function, factor, offset in scaled:
        place, share = layout.place(function)
        if seen[place]:
            raise no_nep(f"{model.symbol} has a {function.describe()} twice")
        seen[place] = True
        factors[place], offsets[place] = factor * share, offset
    return factors, offsets


def _as_decimal(factor: float) -> float:
    """A factor of descriptors, which is kept as the inverse of a width."""
    return shortest(factor, lambda x: 1 / (1 / x) == factor)


def _common_scaler(factors: Sequence[Array]) -> Array:
    """(D,) positive factors that all elements' inputs are measured by: the first that is one."""
    table = np.abs(np.array(factors))
    first = table[(table > 0).argmax(axis=0), np.arange(table.shape[1])]
    scaler: Array = np.where(first > 0, first, 1.0)
    return scaler


def _hidden_layer(model: ElementModel, layout: Layout, scaler: Array, scale: float) -> _HiddenLayer:
    network = model.network
    if network.activations != (Activation.TANH, Activation.IDENTITY):
        layers = ", ".join(activation.name.lower() for activation in network.activations)
        raise no_nep(
            f"the layers of {model.symbol} are {layers}: one hidden layer of tanh is expected"
        )
    factors, offsets = _inputs(model, layout)
    places = [layout.place(function)[0] for function in model.functions]
    weights = np.zeros((layout.width, network.sizes[1]))
    weights[places] = network.weights[0]
    biases = network.biases[0] + offsets @ weights
    bias = scale * float(network.biases[1][0]) + model.energy_offset
    return _HiddenLayer(
        weights * (factors / scaler)[:, None], biases, scale * network.weights[1][:, 0], bias
    )


def _coefficients(models: Sequence[ElementModel], which: int) -> Array:
    """(n, k, elements, elements) c of centre and neighbour."""
    blocks = []
    for model in models:
        series = series_of(model)[which]
        rows = dict(zip(series.neighbors, series.coefficients, strict=True))
        if missing := [m.symbol for m in models if m.symbol not in rows]:
            raise no_nep(f"functions of {model.symbol} do not see {', '.join(missing)}")
        blocks.append([rows[other.symbol] for other in models])
    sizes = {np.shape(block) for block in blocks}
    if len(sizes) != 1:
        raise no_nep("the elements' radial functions have different numbers of terms")
    c = from_series(np.array(blocks))  # [centre][neighbour][n][k]
    return np.ascontiguousarray(np.transpose(c, (2, 3, 0, 1)))


def _radii(models: Sequence[ElementModel], which: int) -> Array:
    """(elements, elements) r_c, Å."""
    rows = []
    for model in models:
        series = series_of(model)[which]
        radii = dict(zip(series.neighbors, series.radii, strict=True))
        rows.append([radii.get(other.symbol, 0.0) for other in models])
    return np.array(rows)
