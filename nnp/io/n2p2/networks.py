"""Network sizes in ``input.nn`` and ``weights.ZZZ.data``: from and to text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, OptionError
from nnp.io.n2p2.settings import Entry, Settings, parse_number, read_words
from nnp.networks import Activation, Network

_LETTERS = "ltsprgcSeh"


@dataclass(frozen=True)
class Architecture:
    """Hidden neurons per layer, and the activation of each hidden layer and of the output."""

    hidden: tuple[int, ...]
    activations: tuple[Activation, ...]

    def sizes(self, n_inputs: int) -> tuple[int, ...]:
        """Neurons per layer, inputs and output included."""
        return (n_inputs, *self.hidden, 1)


def read_architecture(settings: Settings, element: str) -> Architecture:
    """The network of one element: ``element_…_short`` lines where there are any, else global ones.

    Raises:
        FileFormatError: a keyword is missing, counts differ, or an activation is unknown.
    """
    layers, words = _choose(settings, "hidden_layers_short", element)
    if len(words) != 1:
        raise layers.error("takes one number")
    n_hidden = _integer(layers, words[0])
    hidden = _hidden_sizes(settings, element, n_hidden) if n_hidden else ()
    entry, letters = _choose(settings, "activation_short", element)
    if len(letters) != n_hidden + 1:
        raise entry.error(
            f"gives {len(letters)} letters, {n_hidden + 1} are expected: hidden layers and output"
        )
    for letter in letters:
        if letter not in tuple(_LETTERS):
            raise entry.error(f"has {letter!r}: known are {' '.join(_LETTERS)}")
    return Architecture(hidden, tuple(Activation(letter) for letter in letters))


def check_element_lines(settings: Settings, elements: tuple[str, ...]) -> None:
    """Raise where an ``element_…_short`` line names none of the elements."""
    for what in ("hidden_layers_short", "nodes_short", "activation_short"):
        for entry in settings.all(f"element_{what}"):
            if not entry.arguments:
                raise entry.error("names no element")
            if entry.arguments[0] not in elements:
                raise entry.error(
                    f"names {entry.arguments[0]!r}, which is not among the elements "
                    f"{' '.join(elements)}"
                )


def read_weights(path: Path, architecture: Architecture, n_inputs: int, hint: str = "") -> Network:
    """Read ``weights.ZZZ.data``: rows of a value with its place, or of values alone.

    Args:
        path: the file.
        architecture: of the network.
        n_inputs: number of functions.
        hint: after the message of a wrong number of weights.

    Raises:
        FileFormatError: values missing, too many, not finite, or in the wrong place.
    """
    rows = read_words(path)
    sizes = architecture.sizes(n_inputs)
    wanted = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    if len(rows) != wanted:
        raise FileFormatError(
            f"{path} has {len(rows)} weights and biases, but a network "
            f"{'-'.join(str(size) for size in sizes)} as input.nn and its symmetry functions "
            f"describe has {wanted}: the files do not belong together{hint}"
        )
    values = []
    alone = all(len(words) == 1 for _, words in rows)  # as RuNNer has it now and then
    for (line, words), place in zip(rows, _places(sizes), strict=True):
        where = f"{path}, line {line}"
        values.append(parse_number(words[0], where))
        if not alone:
            _check_place(words[1:], place, where)
    return _network(np.array(values), sizes, architecture.activations)


def weights_text(network: Network) -> str:
    """The content of ``weights.ZZZ.data``."""
    lines = [
        "# Weights (a) and biases (b) of a network: value, type, index, then layer and neuron of",
        "# start and end (a) or of the neuron itself (b), counted from 1; layer 0 is the input.",
    ]
    index = 0
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        for (start, end), value in np.ndenumerate(weight):
            index += 1
            lines.append(
                f"{value: .16E} a {index:9d} {layer:5d} {start + 1:5d} {layer + 1:5d} {end + 1:5d}"
            )
        for end, value in enumerate(bias):
            index += 1
            lines.append(f"{value: .16E} b {index:9d} {layer + 1:5d} {end + 1:5d}")
    return "\n".join(lines) + "\n"


def architecture_lines(networks: dict[str, Network]) -> list[str]:
    """``input.nn`` lines for the networks by element.

    Raises:
        OptionError: an activation that n2p2 lacks.
    """
    deepest = max(networks.values(), key=lambda network: len(network.weights))
    lines = _architecture("global", deepest, "")
    reference = (deepest.sizes[1:], deepest.activations)
    for symbol, network in networks.items():
        for activation in network.activations:
            if activation.value not in _LETTERS:
                raise OptionError(
                    f"the activation {activation.value!r} of {symbol} cannot be written: n2p2 "
                    f"has {' '.join(_LETTERS)}"
                )
        if (network.sizes[1:], network.activations) != reference:
            lines += _architecture("element", network, f"{symbol} ")
    return lines


def weights_name(element: str) -> str:
    """File name of an element's weights."""
    return f"weights.{atomic_number(element):03d}.data"


def divide_by_inputs(network: Network) -> Network:
    """Fold ``normalize_nodes`` (each neuron's sum over its number of inputs) into the weights."""
    scaled = [
        (weight / len(weight), bias / len(weight))
        for weight, bias in zip(network.weights, network.biases, strict=True)
    ]
    return Network(tuple(w for w, _ in scaled), tuple(b for _, b in scaled), network.activations)


def _choose(settings: Settings, what: str, element: str) -> tuple[Entry, tuple[str, ...]]:
    """The entry of an element, or the global one, and its arguments without the element."""
    found = settings.one_for(f"element_{what}", element)
    if found is not None:
        return found, found.arguments[1:]
    entry = settings.required(f"global_{what}")
    return entry, entry.arguments


def _integer(entry: Entry, word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise entry.error(f"has {word!r} where a whole number is expected") from None


def _hidden_sizes(settings: Settings, element: str, n_hidden: int) -> tuple[int, ...]:
    entry, nodes = _choose(settings, "nodes_short", element)
    if len(nodes) != n_hidden:
        raise entry.error(f"gives {len(nodes)} sizes, {n_hidden} hidden layers are announced")
    hidden = tuple(_integer(entry, word) for word in nodes)
    if any(size < 1 for size in hidden):
        raise entry.error("has a layer without neurons")
    return hidden


def _places(sizes: tuple[int, ...]) -> Iterator[list[str]]:
    """The columns after each value and its index: by layer, all weights, then the biases."""
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        for start, end in product(range(1, n_in + 1), range(1, n_out + 1)):
            yield ["a", str(layer), str(start), str(layer + 1), str(end)]
        for end in range(1, n_out + 1):
            yield ["b", str(layer + 1), str(end)]


def _check_place(words: list[str], place: list[str], where: str) -> None:
    """Raise where a row's type, layers and neurons are not the expected ones."""
    if words[:1] != place[:1]:
        raise FileFormatError(
            f"{where}: type {words[0] if words else 'missing'!r} where {place[0]!r} belongs (a "
            "weight, b bias); types may be left out only if every row is a single value"
        )
    if words[2:] != place[1:]:
        raise FileFormatError(
            f"{where}: layers and neurons {' '.join(words[2:]) or 'missing'} where "
            f"{' '.join(place[1:])} belong: rows are missing, repeated or out of order"
        )


def _network(
    values: NDArray[np.float64], sizes: tuple[int, ...], activations: tuple[Activation, ...]
) -> Network:
    weights, biases = [], []
    at = 0
    for n_in, n_out in pairwise(sizes):
        weights.append(values[at : at + n_in * n_out].reshape(n_in, n_out))
        at += n_in * n_out
        biases.append(values[at : at + n_out])
        at += n_out
    return Network(tuple(weights), tuple(biases), activations)


def _architecture(scope: str, network: Network, prefix: str) -> list[str]:
    hidden = network.sizes[1:-1]
    lines = [f"{scope}_hidden_layers_short {prefix}{len(hidden)}"]
    if hidden:
        lines.append(f"{scope}_nodes_short {prefix}{' '.join(map(str, hidden))}")
    letters = " ".join(activation.value for activation in network.activations)
    return [*lines, f"{scope}_activation_short {prefix}{letters}"]
