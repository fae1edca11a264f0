"""The text of a ``nep.txt``.

Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnp.io.nep.file import NepFile
from nnp.io.nep.header import SWITCHES, Header

# Those that were there before 2026. NEP_CPU of June 2026 ignores the later ones after a 2, the
# trainer's own word for the first.
_OLD_SWITCHES = SWITCHES[:2]


def file_text(file: NepFile) -> str:
    """The whole file, as NEP4: a network for each element, one bias for all."""
    return "".join(f"{line}\n" for line in (*_header(file.header), *_numbers(file)))


def _header(header: Header) -> Iterator[str]:
    zbl = "" if header.zbl is None else "_zbl"
    yield f"nep4{zbl} {len(header.elements)} {' '.join(header.elements)}"
    if header.zbl is not None:
        yield f"zbl {_words(header.zbl)}"
    yield f"cutoff {_words(_cutoffs(header))}"
    yield f"n_max {header.n_radial - 1} {header.n_angular - 1}"
    yield f"basis_size {header.k_radial - 1} {header.k_angular - 1}"
    yield f"l_max {header.l_max} {' '.join(map(str, _switches(header)))}"
    yield f"ANN {header.neurons} 0"


def _cutoffs(header: Header) -> tuple[float, ...]:
    """Radii, the two hints, and after them what factors there are."""
    end = 2 if header.has_factors else len(header.cutoffs)
    return (*header.cutoffs[:end], *(header.hints or ()), *header.cutoffs[end:])


def _switches(header: Header) -> list[int]:
    on = [int(name in header.switches) for name in SWITCHES]
    return on if any(on[len(_OLD_SWITCHES) :]) else [2 * on[0], on[1]]


def _words(numbers: tuple[float, ...]) -> str:
    return " ".join(repr(float(number)).removesuffix(".0") for number in numbers)


def _numbers(file: NepFile) -> Iterator[str]:
    blocks: list[NDArray[np.float64]] = []
    for weights, biases, output in zip(file.weights, file.biases, file.output, strict=True):
        blocks += [weights.T, biases, output]
    blocks += [file.output_biases[:1], file.radial, file.angular, file.scaler]
    if file.flexible is not None:
        blocks.append(file.flexible)
    for block in blocks:
        for number in block.ravel().tolist():
            short = f"{number:15.7e}"
            yield short if float(short) == number else f"{number:.16e}"
