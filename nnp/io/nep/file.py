"""A whole ``nep.txt`` as arrays: header, networks, radial coefficients, scaling, repulsion.

Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.nep.header import Header, Lines, is_nep, read_header
from nnp.io.nep.radii import covalent_radius

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NepFile:
    """The content of a file; elements in the file's order.

    Attributes:
        header: sizes and switches.
        weights: per element (D, N), from scaled descriptors to neurons.
        biases: per element (N,), subtracted.
        output: per element (N,).
        output_biases: (elements,), subtracted.
        radial, angular: (n, k, elements, elements) c of centre and neighbour.
        scaler: (D,) multiplies the descriptors.
        flexible: per pair of elements (10,) r_inner, r_outer and four (a, b) of the repulsion's
            screening, where the file brings its own; upper triangle by rows. Else None.
    """

    header: Header
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    output: tuple[Array, ...]
    output_biases: Array
    radial: Array
    angular: Array
    scaler: Array
    flexible: Array | None

    def cutoffs(self, angular: bool) -> Array:
        """(elements, elements) r_c of each pair, Å."""
        numbers, n = self.header.cutoffs, len(self.header.elements)
        which = int(angular)
        if self.header.has_factors:
            radii = np.array([covalent_radius(symbol) for symbol in self.header.elements])
            whole = np.full((n, n), numbers[which])
            if numbers[2] <= 0:
                return whole
            pairs: Array = np.minimum(whole, numbers[2 + which] * (radii[:, None] + radii))
            return pairs
        own = np.array(numbers[which::2] if len(numbers) == 2 * n else [numbers[which]] * n)
        mean: Array = (own[:, None] + own) / 2
        return mean

    def repulsion_radii(self) -> tuple[Array, Array] | None:
        """(elements, elements) inner and outer radius of the repulsion, Å; None without one."""
        if self.header.zbl is None:
            return None
        n = len(self.header.elements)
        if self.flexible is not None:
            pairs = np.zeros((2, n, n))
            first, second = np.triu_indices(n)
            pairs[:, first, second] = pairs[:, second, first] = self.flexible[:, :2].T
            return pairs[0], pairs[1]
        inner, outer = (np.full((n, n), radius) for radius in self.header.zbl[:2])
        legacy = self.header.cutoffs[4] if self.header.has_factors else 0.0
        factor = self.header.zbl[2] if len(self.header.zbl) == 3 else legacy
        if factor > 0:
            radii = np.array([covalent_radius(symbol) for symbol in self.header.elements])
            outer = np.minimum(outer, factor * (radii[:, None] + radii))
            inner = np.zeros((n, n)) if len(self.header.zbl) == 3 else outer / 2
        return inner, outer


def is_nep_file(path: Path) -> bool:
    """Whether it is a ``nep.txt``, by its first line. A pipe is none: it would wait for its writer.

    Raises:
        FileFormatError: it cannot be read.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            first = file.readline(4096)
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    return is_nep(first.decode("ascii", "replace"))


def read_file(path: str | Path) -> NepFile:
    """Read a ``nep.txt``.

    Raises:
        FileFormatError: no text, a header that is not allowed, or another count of numbers than
            the header asks for; the message names file and line.
    """
    try:
        text = Path(path).read_text("ascii")
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise FileFormatError(f"{path} is not a text file of ASCII characters") from None
    lines = Lines(str(path), text.splitlines())
    header = read_header(lines)
    numbers = _Numbers(lines, header)
    n, width, neurons = len(header.elements), header.n_descriptors, header.neurons
    networks, own_biases = [], []
    for _ in range(1 if header.version == 3 else n):
        networks.append(
            (numbers.take(neurons, width).T, numbers.take(neurons), numbers.take(neurons))
        )
        own_biases.append(float(numbers.take(1)[0]) if header.version == 5 else 0.0)
    if header.version == 3:
        networks, own_biases = networks * n, own_biases * n
    common_bias = float(numbers.take(1)[0])
    weights, biases, output = zip(*networks, strict=True)
    return NepFile(
        header,
        weights,
        biases,
        output,
        np.array(own_biases) + common_bias,
        numbers.take(header.n_radial, header.k_radial, n, n),
        numbers.take(header.n_angular, header.k_angular, n, n),
        numbers.take(width),
        numbers.take(n * (n + 1) // 2, 10) if _is_flexible(header) else None,
    )


def _is_flexible(header: Header) -> bool:
    return header.zbl is not None and header.zbl[:2] == (0, 0)


def count_numbers(header: Header) -> int:
    """How many numbers follow a header."""
    n, width, neurons = len(header.elements), header.n_descriptors, header.neurons
    network = neurons * (width + 2) + (header.version == 5)
    radial = header.n_radial * header.k_radial + header.n_angular * header.k_angular
    flexible = 10 * (n * (n + 1) // 2) if _is_flexible(header) else 0
    return network * (1 if header.version == 3 else n) + 1 + n * n * radial + width + flexible


class _Numbers:
    """The numbers after the header, block after block."""

    def __init__(self, lines: Lines, header: Header) -> None:
        words, wanted = [], count_numbers(header)
        for number, line in enumerate(lines.lines[lines.number :], start=lines.number + 1):
            words += [(number, word) for word in line.split()]
        if len(words) != wanted:
            raise FileFormatError(
                f"{lines.name} has {len(words)} numbers after its header, which asks for "
                f"{wanted}: the file is cut off, or its header belongs to another potential"
            )
        self._values = np.empty(wanted)
        for at, (number, word) in enumerate(words):
            try:
                self._values[at] = float(word)
            except ValueError:
                lines.number = number
                raise lines.error(f"{word!r} is not a number") from None
            if not np.isfinite(self._values[at]):
                lines.number = number
                raise lines.error(f"{word} is not finite")
        self._next = 0

    def take(self, *shape: int) -> Array:
        """The next block."""
        begin = self._next
        self._next += int(np.prod(shape))
        return self._values[begin : self._next].reshape(shape)
