"""Random ``nep.txt`` files."""

from __future__ import annotations

import numpy as np

HEADER = """{model} {count} {symbols}
cutoff {cutoff}
n_max {n_radial} {n_angular}
basis_size {k_radial} {k_angular}
l_max {l_max}
ANN {neurons} 0
"""


def nep_text(
    symbols=("O", "H"),
    version=4,
    cutoff="5 4 100 80",
    n_max=(4, 3),
    basis_size=(6, 5),
    l_max="4 2 1",
    neurons=7,
    seed=0,
):
    """The text of a potential of random parameters."""
    words = list(map(int, l_max.split()))
    n, k = np.array(n_max) + 1, np.array(basis_size) + 1
    width = n[0] + n[1] * (words[0] + sum(1 for word in words[1:] if word))
    count = len(symbols)
    networks = 1 if version == 3 else count
    rng = np.random.default_rng(seed)
    numbers = [
        rng.normal(size=networks * (neurons * (width + 2) + (version == 5)) + 1) * 0.3,
        rng.normal(size=count**2 * int(n @ k)) * 0.3,
        rng.uniform(0.1, 1, width),
    ]
    head = HEADER.format(
        model=f"nep{version}",
        count=count,
        symbols=" ".join(symbols),
        cutoff=cutoff,
        n_radial=n_max[0],
        n_angular=n_max[1],
        k_radial=basis_size[0],
        k_angular=basis_size[1],
        l_max=l_max,
        neurons=neurons,
    )
    return head + "\n".join(f"{number:15.7e}" for number in np.concatenate(numbers)) + "\n"
