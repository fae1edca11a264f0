"""The fields of a potential in the order of ænet's files, which the binary and the text share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.aenet.record import About, Record, checked_count


class Fields(Protocol):
    """What reads one field after the other; each raises FileFormatError where it is another."""

    def integers(self, n: int) -> NDArray[np.int64]:
        """So many whole numbers."""

    def integer(self) -> int:
        """One of them."""

    def reals(self, n: int) -> NDArray[np.float64]:
        """So many numbers."""

    def real(self) -> float:
        """One of them."""

    def text(self) -> str:
        """A text, without blanks at its end."""

    def words(self, n: int) -> tuple[str, ...]:
        """So many names of elements."""

    def logical(self) -> bool:
        """Yes or no."""

    def skip_places(self, n_layers: int) -> None:
        """Places of weights and of nodes, which follow from the layers."""


@dataclass(frozen=True, eq=False)
class SetupFields:
    """Records 10 to 26: a set-up with the statistics of its functions, as in `Record`."""

    description: str
    central: str
    environment: tuple[str, ...]
    r_min: float
    r_max: float
    basis: str
    kinds: NDArray[np.int64]
    parameters: NDArray[np.float64]
    neighbors: NDArray[np.int64]
    evaluations: int
    statistics: tuple[NDArray[np.float64], ...]


def read_setup_fields(r: Fields, path: Path) -> SetupFields:
    """A set-up from its fields.

    Raises:
        FileFormatError: cut, damaged, or something else.
    """
    description = r.text()
    central = r.text().strip()
    environment = r.words(r.integer())
    r_min, r_max = r.real(), r.real()
    basis = r.text().strip()
    n_functions, n_parameters = r.integer(), r.integer()
    checked_count(n_functions, "the number of functions", path, 1)
    if n_parameters != 4:
        raise FileFormatError(f"{path}: {n_parameters} parameters per function: 4 are expected")
    kinds = r.integers(n_functions)
    parameters = r.reals(4 * n_functions).reshape(n_functions, 4)
    neighbors = r.integers(2 * n_functions).reshape(n_functions, 2)
    evaluations = r.integer()
    statistics = tuple(r.reals(n_functions) for _ in range(4))
    return SetupFields(
        description, central, environment, r_min, r_max, basis, kinds, parameters, neighbors,
        evaluations, statistics,
    )  # fmt: skip


def read_fields(r: Fields, path: Path) -> Record:
    """A potential from its fields.

    Raises:
        FileFormatError: cut, damaged, or something else.
    """
    n_layers, _, n_weights, _ = (r.integer() for _ in range(4))
    checked_count(n_layers, "the number of layers", path, 2)
    nodes, activations = r.integers(n_layers), r.integers(n_layers - 1)
    r.skip_places(n_layers)
    weights = r.reals(n_weights)
    setup = read_setup_fields(r, path)
    minimum, maximum, mean, square = setup.statistics
    data_file, normalized = r.text(), r.logical()
    scale, shift = r.real(), r.real()
    types = r.words(r.integer())
    energies = r.reals(len(types))
    n_atoms, n_structures = r.integer(), r.integer()
    lowest, highest, average = r.reals(3).tolist()
    about = About(
        setup.description, setup.r_min, setup.r_max, setup.evaluations, data_file, normalized,
        n_atoms, n_structures, (lowest, highest, average),
    )  # fmt: skip
    return Record(
        path, tuple(map(int, nodes)), tuple(map(int, activations)), weights, setup.central,
        setup.environment, setup.basis, setup.kinds, setup.parameters, setup.neighbors, minimum,
        maximum, mean, square, scale, shift, types, energies, about,
    )  # fmt: skip
