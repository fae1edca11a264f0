"""A small potential of two elements as ænet's files, binary and in the dialects of text."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np

# Kind, parameters, places in ENV: not in the order of evaluation.
FUNCTIONS = [
    (4, (5.0, -1.0, 2.0, 0.02), (1, 2)),
    (2, (5.5, 1.0, 0.3, 0.0), (2, 0)),
    (1, (5.0, 0.0, 0.0, 0.0), (1, 0)),
    (5, (5.0, 1.0, 1.0, 0.01), (2, 2)),
    (3, (5.0, 1.1, 0.0, 0.0), (1, 0)),
]
ENERGIES = (-1.5, 2.5)


def record(element, seed=0, types=("O", "Ti")):
    """The items of a file, by number from 1."""
    rng = np.random.default_rng(seed)
    n = len(FUNCTIONS)
    nodes = (n, 3, 2, 1)
    weights = rng.normal(size=sum((a + 1) * b for a, b in pairwise(nodes)))
    mean = rng.uniform(0.5, 1.0, n)
    return {
        1: 4, 2: 5, 3: len(weights), 4: 14, 5: nodes, 6: (1, 4, 0), 7: (0, 18, 26, 29),
        8: (0, 6, 10, 13), 9: weights, 10: "made up", 11: element, 12: len(types), 13: types,
        14: 0.75, 15: 5.5, 16: "Behler2011", 17: n, 18: 4, 19: [f[0] for f in FUNCTIONS],
        20: np.array([f[1] for f in FUNCTIONS]), 21: np.array([f[2] for f in FUNCTIONS]), 22: 7,
        23: mean - 0.5, 24: mean + 0.5, 25: mean, 26: mean**2 + rng.uniform(0.1, 0.2, n),
        27: "train", 28: True, 29: 0.8, 30: -0.2, 31: len(types), 32: types, 33: np.array(ENERGIES),
        34: 10, 35: 2, 36: (-1.0, 1.0, 0.0),
    }  # fmt: skip


def chebyshev_record(element, seed=0, types=("O", "Ti"), radial=3, angular=4, cutoffs=(5.0, 4.0)):
    """The same with a Chebyshev basis; statistics say the angle of ænet 2.0.4."""
    rng = np.random.default_rng(seed)
    half = radial + angular + 2
    n = half * (1 if len(types) == 1 else 2)
    nodes = (n, 3, 2, 1)
    mean = np.full(n, 0.1)
    mean[radial + 1] = 0.9
    parameters = np.zeros((n, 4))
    parameters[0] = cutoffs[0], radial, cutoffs[1], angular
    zeros = np.zeros(n, int)
    weights = rng.normal(size=sum((a + 1) * b for a, b in pairwise(nodes)))
    return record(element, seed, types) | {
        2: n, 3: len(weights), 4: sum(nodes) + 3, 5: nodes,
        7: (0, 3 * n + 3, 3 * n + 11, 3 * n + 14),
        8: (0, n + 1, n + 5, n + 8), 9: weights, 16: "Chebyshev", 17: n, 19: zeros, 20: parameters,
        21: np.zeros((n, 2), int), 23: mean - 0.5, 24: mean + 0.5, 25: mean,
        26: mean**2 + rng.uniform(0.1, 0.2, n),
    }  # fmt: skip


_WIDTHS = {10: 1024, 11: 2, 13: 2, 16: 100, 27: 1024, 32: 2}
_REALS = {9, 14, 15, 20, 23, 24, 25, 26, 29, 30, 33, 36}


def binary(items):
    found = b""
    for number, value in items.items():
        if number in _WIDTHS:
            words = [value] if isinstance(value, str) else value
            payload = "".join(word.ljust(_WIDTHS[number]) for word in words).encode()
        else:
            kind = "<f8" if number in _REALS else "<i4"
            payload = np.asarray(value, kind).tobytes()
        length = struct.pack("<i", len(payload))
        found += length + payload + length
    return found


def text(items, per_line=100, fields=False):
    """``fields``: elements as ænet's own converter writes them."""
    lines = []
    for number, value in items.items():
        if isinstance(value, str):
            lines.append(value)
        elif number in (13, 32) and fields:
            lines.append(" " + "".join(word.ljust(2) for word in value))
        elif number in (13, 32):
            lines.append(" ".join(value))
        elif number == 28:
            lines.append("T")
        else:
            words = [repr(float(v)) if number in _REALS else str(int(v)) for v in np.ravel(value)]
            lines += [" ".join(words[k : k + per_line]) for k in range(0, len(words), per_line)]
    return "\n".join(lines) + "\n"
