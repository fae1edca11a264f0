"""The mean of several networks as one: hidden layers side by side, output weights averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel
from nnp.scaling import Scaling, ScalingMode

_STATISTICS = ("minimum", "maximum", "mean", "sigma")


def mean_model(group: Sequence[ElementModel], scales: Sequence[float]) -> ElementModel:
    """One element's mean: functions of all members, networks side by side.

    Args:
        group: that element's model of each member; functions, scaling and sizes of hidden layers
            may differ.
        scales: energy_scale of each member; that of the first stays outside the network.

    Raises:
        OptionError: networks of another depth or with other activations, or an output layer that
            is not linear where there is something to average.
    """
    first = group[0]
    layers = {model.network.activations for model in group}
    if len(layers) != 1:
        raise OptionError(
            f"the members' networks of {first.symbol} have layers "
            f"{sorted(' '.join(a.value for a in layer) for layer in layers)}: a committee's share "
            "number and activations of layers; sizes may differ"
        )
    functions = tuple(canonical_order(set().union(*(model.functions for model in group))))
    if all(model.functions == functions for model in group) and _same_scaling(group):
        scaling = first.scaling
    else:
        scaling = _common_scaling(group, functions)
    networks = [
        _scaled_output(_with_inputs(model, functions, scaling), scale / scales[0])
        for model, scale in zip(group, scales, strict=True)
    ]
    offset = float(np.mean([model.energy_offset for model in group]))
    return ElementModel(first.symbol, functions, scaling, _side_by_side(networks), offset)


def positions_of(
    whole: Sequence[SymmetryFunction], own: Sequence[SymmetryFunction]
) -> NDArray[np.int64]:
    """Where each of a member's functions stands among all."""
    where = {function: number for number, function in enumerate(whole)}
    return np.array([where[function] for function in own], np.int64)


def _same_scaling(group: Sequence[ElementModel]) -> bool:
    first = group[0].scaling
    names = ("factor", "offset", "minimum", "maximum")
    return all(
        np.array_equal(getattr(model.scaling, name), getattr(first, name))
        for model in group
        for name in names
    )


def _common_scaling(
    group: Sequence[ElementModel], functions: Sequence[SymmetryFunction]
) -> Scaling:
    """None; each range is where no member extrapolates, or the first's where that is empty."""
    table: dict[str, Any] = {name: np.empty(len(functions)) for name in _STATISTICS}
    for number, function in enumerate(functions):
        owners = [
            (m.scaling, m.functions.index(function)) for m in group if function in m.functions
        ]
        for name, column in table.items():
            column[number] = getattr(owners[0][0], name)[owners[0][1]]
        low = max(scaling.minimum[k] for scaling, k in owners)
        high = min(scaling.maximum[k] for scaling, k in owners)
        if low < high:
            table["minimum"][number], table["maximum"][number] = low, high
    return Scaling(**table, mode=ScalingMode.NONE)


def _with_inputs(
    model: ElementModel, functions: Sequence[SymmetryFunction], scaling: Scaling
) -> Network:
    """A member's network that takes all functions under another scaling.

    u = a G + b and u' = a' G + b' give u = (a / a') u' + b − (a / a') b'.
    """
    network, own = model.network, model.scaling
    if model.functions == tuple(functions) and scaling is own:
        return network
    at = positions_of(functions, model.functions)
    ratio = own.factor / scaling.factor[at]
    shift = own.offset - ratio * scaling.offset[at]
    first = np.zeros((len(functions), network.weights[0].shape[1]))
    np.add.at(first, at, ratio[:, None] * network.weights[0])
    bias = network.biases[0] + shift @ network.weights[0]
    return Network((first, *network.weights[1:]), (bias, *network.biases[1:]), network.activations)


def _scaled_output(network: Network, factor: float) -> Network:
    """The network times a factor."""
    if factor == 1:
        return network
    _require_linear_output(network)
    return replace(
        network,
        weights=(*network.weights[:-1], factor * network.weights[-1]),
        biases=(*network.biases[:-1], factor * network.biases[-1]),
    )


def _require_linear_output(network: Network) -> None:
    if network.activations[-1] is not Activation.IDENTITY:
        raise OptionError(
            f"members whose output layer has the activation {network.activations[-1].value!r} have "
            "no mean network: only linear ones ('l') do"
        )


def _side_by_side(networks: Sequence[Network]) -> Network:
    """The mean of networks with the same inputs, as one network."""
    _require_linear_output(networks[0])
    depth = len(networks[0].weights)
    if depth == 1:
        mean_weight = np.mean([n.weights[0] for n in networks], axis=0)
        mean_bias = np.mean([n.biases[0] for n in networks], axis=0)
        return Network((mean_weight,), (mean_bias,), networks[0].activations)
    weights = [np.concatenate([n.weights[0] for n in networks], axis=1)]
    biases = [np.concatenate([n.biases[layer] for n in networks]) for layer in range(depth - 1)]
    weights += [_block_diagonal([n.weights[k] for n in networks]) for k in range(1, depth - 1)]
    weights.append(np.concatenate([n.weights[-1] for n in networks]) / len(networks))
    biases.append(np.mean([n.biases[-1] for n in networks], axis=0))
    return Network(tuple(weights), tuple(biases), networks[0].activations)


def _block_diagonal(blocks: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    rows, columns = (sum(b.shape[axis] for b in blocks) for axis in (0, 1))
    full = np.zeros((rows, columns))
    row = column = 0
    for block in blocks:
        full[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return full
