"""Repulsion of bare nuclei at short distances (ZBL), added to a potential's networks.

    E = ½ Σ_i Σ_j K Z_i Z_j / r_ij · φ(r_ij / a_ij) · s(r_ij)
    1 / a_ij = (Z_i^0.23 + Z_j^0.23) · 2.134563 Å⁻¹,   φ(x) = Σ_k c_k e^{−d_k x}
    s = 1 up to r_inner, (1 + cos π x) / 2 up to r_outer (x the share of the way), then 0

Ziegler, Biersack and Littmark, The Stopping and Range of Ions in Solids (1985), in the form that
NEP has. The networks' energy is added at all distances.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.evaluation import Addition
from nnp.neighbors import neighbor_list
from nnp.structure import Structure

COULOMB = 14.399645  # e²/(4πε0), eV Å; the digits of NEP's programs, as in nnp/zbl.h
_SCREENING_PER_ANGSTROM = 2.134563  # 1 / (0.8854 bohr), likewise
_SCREENING_POWER = 0.23
UNIVERSAL_AMPLITUDES = (0.18175, 0.50986, 0.28022, 0.02817)
UNIVERSAL_EXPONENTS = (3.1998, 0.94229, 0.4029, 0.20162)


@dataclass(frozen=True)
class PairRepulsion:
    """The repulsion between two elements.

    Attributes:
        symbols: of the two, any order.
        r_inner: where the switch begins, Å.
        r_outer: where it ends: no repulsion from here on, Å.
        amplitudes: c_k of the screening function.
        exponents: d_k of it, as many.

    Raises:
        OptionError: a radius or coefficient that is not allowed.
    """

    symbols: tuple[str, str]
    r_inner: float
    r_outer: float
    amplitudes: tuple[float, ...] = UNIVERSAL_AMPLITUDES
    exponents: tuple[float, ...] = UNIVERSAL_EXPONENTS

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if len(tuple(self.symbols)) != 2:
            raise OptionError(f"symbols={self.symbols!r}: a repulsion is between two elements")
        first, second = sorted(self.symbols, key=atomic_number)
        set_(self, "symbols", (first, second))
        set_(self, "r_inner", float(self.r_inner))
        set_(self, "r_outer", float(self.r_outer))
        set_(self, "amplitudes", tuple(float(value) for value in self.amplitudes))
        set_(self, "exponents", tuple(float(value) for value in self.exponents))
        if not 0 <= self.r_inner < self.r_outer < math.inf:
            raise OptionError(
                f"the repulsion of {first} and {second} is switched off from r_inner="
                f"{self.r_inner:g} to r_outer={self.r_outer:g} Å: 0 <= r_inner < r_outer is "
                "expected"
            )
        numbers = (*self.amplitudes, *self.exponents)
        if not all(map(math.isfinite, numbers)) or len(self.amplitudes) != len(self.exponents):
            raise OptionError(
                f"the screening of {first} and {second} has amplitudes {self.amplitudes} and "
                f"exponents {self.exponents}: as many finite numbers of each are expected"
            )

    def value_and_slope(
        self, r: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """V (eV) and dV/dr (eV/Å) at distances below ``r_outer`` (Å), any shape."""
        z_1, z_2 = (atomic_number(symbol) for symbol in self.symbols)
        inverse_a = (z_1**_SCREENING_POWER + z_2**_SCREENING_POWER) * _SCREENING_PER_ANGSTROM
        scale = COULOMB * z_1 * z_2
        terms = [
            (c * np.exp(-d * inverse_a * r), d * inverse_a)
            for c, d in zip(self.amplitudes, self.exponents, strict=True)
        ]
        phi = sum((term for term, _ in terms), np.zeros_like(r))
        d_phi = -sum((decay * term for term, decay in terms), np.zeros_like(r))
        way = math.pi / (self.r_outer - self.r_inner)
        x = way * np.clip(r - self.r_inner, 0, self.r_outer - self.r_inner)
        switch, d_switch = 0.5 * (1 + np.cos(x)), -0.5 * way * np.sin(x)
        bare = scale * phi / r
        d_bare = scale * (d_phi - phi / r) / r
        return bare * switch, d_bare * switch + bare * d_switch


@dataclass(frozen=True)
class RepulsionTerm:
    """ZBL repulsion between the pairs of elements it names; others have none.

    Attributes:
        pairs: one per pair of elements.

    Raises:
        OptionError: a pair twice.

    >>> term = RepulsionTerm.universal(("Si",), r_inner=1.0, r_outer=2.0)
    >>> value, slope = term.pairs[0].value_and_slope(np.array([0.5, 1.5]))
    >>> value.round(3)
    array([470.457,   4.805])
    """

    pairs: tuple[PairRepulsion, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple(sorted(self.pairs, key=_place)))
        named = [pair.symbols for pair in self.pairs]
        if len(set(named)) != len(named):
            raise OptionError(f"a repulsion of {named}: each pair of elements once")

    @classmethod
    def universal(cls, elements: Iterable[str], r_inner: float, r_outer: float) -> Self:
        """The universal screening with the same radii (Å) for all pairs of these elements."""
        pairs = combinations_with_replacement(tuple(elements), 2)
        return cls(tuple(PairRepulsion(pair, r_inner, r_outer) for pair in pairs))

    @classmethod
    def by_pair(cls, radii: Mapping[tuple[str, str], tuple[float, float]]) -> Self:
        """The universal screening with radii (r_inner, r_outer), Å, per pair of elements."""
        return cls(tuple(PairRepulsion(pair, *ends) for pair, ends in radii.items()))

    @property
    def cutoff(self) -> float:
        """Largest distance with a repulsion, Å."""
        return max((pair.r_outer for pair in self.pairs), default=0.0)

    @property
    def elements(self) -> set[str]:
        """Symbols of the pairs."""
        return {symbol for pair in self.pairs for symbol in pair.symbols}

    def __str__(self) -> str:
        text = (f"{'-'.join(p.symbols)} {p.r_inner:g}..{p.r_outer:g} Å" for p in self.pairs)
        return f"ZBL repulsion ({', '.join(text)})"

    def compute(self, structure: Structure) -> Addition:
        """What it adds to each atom, half of each pair to either.

        Raises:
            StructureError: two atoms are in the same place.
        """
        found = neighbor_list(structure, self.cutoff)
        r = np.linalg.norm(found.vectors, axis=1)
        value, slope = np.zeros_like(r), np.zeros_like(r)
        z_i, z_j = structure.atomic_numbers[found.i], structure.atomic_numbers[found.j]
        low, high = np.minimum(z_i, z_j), np.maximum(z_i, z_j)
        for pair in self.pairs:
            z_1, z_2 = (atomic_number(symbol) for symbol in pair.symbols)
            mine = (low == z_1) & (high == z_2) & (r < pair.r_outer)
            value[mine], slope[mine] = pair.value_and_slope(r[mine])
        energies, forces = np.zeros(len(structure)), np.zeros((len(structure), 3))
        np.add.at(energies, found.i, 0.5 * value)
        gradient = 0.5 * (slope / np.where(r > 0, r, 1))[:, None] * found.vectors  # dE_i/dr_ij
        np.add.at(forces, found.i, gradient)
        np.subtract.at(forces, found.j, gradient)
        virials = np.zeros((len(structure), 3, 3))
        np.add.at(virials, found.i, found.vectors[:, :, None] * gradient[:, None, :])
        return Addition(energies, forces, virials)

    def entry(self) -> dict[str, Any]:
        """For a model file's header; JSON-serialisable."""
        pairs = [
            {
                "symbols": list(pair.symbols),
                "r_inner": pair.r_inner,
                "r_outer": pair.r_outer,
                "amplitudes": list(pair.amplitudes),
                "exponents": list(pair.exponents),
            }
            for pair in self.pairs
        ]
        return {"term": "repulsion", "pairs": pairs}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """From what `entry` gave."""
        return cls(
            tuple(
                PairRepulsion(
                    tuple(pair["symbols"]),
                    pair["r_inner"],
                    pair["r_outer"],
                    tuple(pair["amplitudes"]),
                    tuple(pair["exponents"]),
                )
                for pair in entry["pairs"]
            )
        )


def _place(pair: PairRepulsion) -> tuple[int, int]:
    first, second = (atomic_number(symbol) for symbol in pair.symbols)
    return first, second
