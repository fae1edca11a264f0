"""What a ``.nn`` holds, whatever it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.functions import SymmetryFunction
from nnp.networks import Activation

# The longest that arrays may be, beyond any potential: sizes are checked before memory is taken.
LARGEST = 10_000_000


# By ænet's numbers.
ACTIVATIONS = (
    Activation.IDENTITY,
    Activation.TANH,
    Activation.LOGISTIC,
    Activation.SCALED_TANH,
    Activation.TWISTED_TANH,
)


@dataclass(frozen=True)
class About:
    """What a file says beside the potential.

    Attributes:
        description: of the set-up.
        r_min, r_max: shortest distance and largest cutoff, Å.
        evaluations: of the functions, in the training set.
        data_file: the training set.
        normalized: whether its energies were scaled.
        n_atoms, n_structures: of the training set.
        energies: lowest, highest and mean one per atom, scaled.
    """

    description: str = ""
    r_min: float = 0.75
    r_max: float = 0.0
    evaluations: int = 0
    data_file: str = ""
    normalized: bool = True
    n_atoms: int = 0
    n_structures: int = 0
    energies: tuple[float, float, float] = (-1.0, 1.0, 0.0)


@dataclass(frozen=True, eq=False)
class Record:
    """One element's potential; names as in ænet where they are not ours.

    Attributes:
        path: the file.
        nodes: neurons per layer, inputs and output included.
        activations: numbers of ænet's, of every layer but the first.
        flat_weights: all weights and biases; see `weights`.
        central: element.
        environment: elements of ENV.
        basis: such as ``"Behler2011"``.
        kinds: (s,) G number of each function, in the file's order; so the next two.
        parameters: (s, 4).
        neighbors: (s, 2) places in ``environment``, from 1; 0: none.
        minimum, maximum, mean, square: (s,) in the order of evaluation, of the function and (last)
            the mean of its square.
        scale, shift: energy of the network = (E - shift) scale.
        types: elements of the training set.
        atomic_energies: of ``types``, eV.
        about: what decides nothing.
    """

    path: Path
    nodes: tuple[int, ...]
    activations: tuple[int, ...]
    flat_weights: NDArray[np.float64]
    central: str
    environment: tuple[str, ...]
    basis: str
    kinds: NDArray[np.int64]
    parameters: NDArray[np.float64]
    neighbors: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    square: NDArray[np.float64]
    scale: float
    shift: float
    types: tuple[str, ...]
    atomic_energies: NDArray[np.float64]
    about: About = field(default_factory=About)

    def __post_init__(self) -> None:
        n = len(self.kinds)
        wanted = sum((a + 1) * b for a, b in pairwise(self.nodes))
        problem = ""
        if len(self.nodes) < 2 or self.nodes[-1] != 1 or min(self.nodes, default=0) < 1:
            problem = f"its network has layers of {self.nodes} neurons"
        elif len(self.activations) != len(self.nodes) - 1:
            problem = f"{len(self.activations)} activations for {len(self.nodes)} layers"
        elif len(self.flat_weights) != wanted:
            problem = f"{len(self.flat_weights)} weights, a network {self.nodes} has {wanted}"
        elif n != self.nodes[0]:
            problem = f"{n} functions for a network of {self.nodes[0]} inputs"
        elif not self.scale > 0 or not np.isfinite([self.scale, self.shift]).all():
            problem = f"the scale of energies is {self.scale}, their shift {self.shift}"
        elif self.central not in self.types:
            problem = f"{self.central!r} is not among its elements {' '.join(self.types)}"
        if problem:
            raise FileFormatError(f"{self.path}: {problem}")

    @property
    def atomic_energy(self) -> float:
        """Of the central element, eV."""
        return float(self.atomic_energies[self.types.index(self.central)])

    def sizes(self) -> tuple[int, int, int, int]:
        """Layers, neurons of the widest, weights, values of all neurons and biases."""
        values = sum(self.nodes) + len(self.nodes) - 1
        return len(self.nodes), max(self.nodes), len(self.flat_weights), values

    def places(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where each layer's weights and its values begin."""
        weights = [(a + 1) * b for a, b in pairwise(self.nodes)]
        values = [n + 1 for n in self.nodes[:-1]]
        return (0, *accumulate(weights)), (0, *accumulate(values))

    @property
    def has_ranges(self) -> bool:
        """Whether lowest and highest values of the functions are more than placeholders."""
        return bool((self.maximum > self.minimum).any())

    def weights(self) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Per layer (n_in, n_out) and (n_out,): each layer's matrix by columns, the bias last."""
        weights, biases = [], []
        at = 0
        for n_in, n_out in pairwise(self.nodes):
            block = self.flat_weights[at : at + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
            weights.append(block[:-1].copy())
            biases.append(block[-1].copy())
            at += (n_in + 1) * n_out
        return weights, biases


def checked_count(value: int, what: str, path: Path, least: int = 0) -> int:
    """A length that a file gives, before anything of it is read.

    Raises:
        FileFormatError: negative, or more than any potential has.
    """
    if not least <= value <= LARGEST:
        raise FileFormatError(f"{path}: {what} is {value}: no ænet potential has this")
    return value


def names(words: Sequence[str]) -> tuple[str, ...]:
    """Element names without blanks."""
    return tuple(word.strip() for word in words)


def permutation(
    functions: Sequence[SymmetryFunction], ordered: Sequence[SymmetryFunction]
) -> NDArray[np.int64]:
    """Where each of ``ordered`` stands in ``functions``; equal ones each once."""
    free = list(range(len(functions)))
    found = []
    for function in ordered:
        index = next(k for k in free if functions[k] == function)
        free.remove(index)
        found.append(index)
    return np.array(found, np.int64)
