"""Moments before their contraction, and products with their Jacobian.

    B_jklm = Σ_{neighbours of element j} g_k(r) Y_lm(r̂),    g_k(r) = T_k(x(r)) f_c(r)

Functions of moments see A_nlm = Σ_jk c_njk B_jklm. To learn c a fit needs B, which do not depend on
it, and their Jacobian, which is a product of two factors for each pair of atoms: it is never
stored whole. Formulas are those of `nnp.reference`; derivatives are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.functions import MomentFunction, RadialSeries, SymmetryFunction
from nnp.neighbors import neighbor_list
from nnp.structure import Structure
from nnp.train.inputs.pair_factors import angular_factors, radial_factors
from nnp.train.inputs.products import VOIGT, Columns, Place


@dataclass(frozen=True, eq=False)
class Block:
    """B of one radial series: (rows, elements, terms) numbers of an atom, flat.

    Attributes:
        series: the radial functions that are made of it.
        functions: which of the element's functions.
        rows: those of Y_lm that these need.
        start: where it begins among the numbers of an atom.
        shape: rows, elements, terms.
        elements: symbols.
    """

    series: RadialSeries
    functions: tuple[int, ...]
    rows: slice
    start: int
    shape: tuple[int, int, int]
    elements: tuple[str, ...]

    @property
    def basis(self) -> object:
        """What g_k without coefficients depend on."""
        series = self.series
        cutoff = (series.cutoff_kind, series.inner_fraction, series.argument)
        return (series.neighbors, series.radii, self.shape[2], *cutoff)

    @property
    def learned(self) -> bool:
        """Whether a fit learns its coefficients: those of 2-body functions alone stay."""
        return bool(self.rows.stop > 1)

    @property
    def span(self) -> slice:
        """Its numbers among those of an atom."""
        return slice(self.start, self.start + int(np.prod(self.shape)))

    def of(self, numbers: Tensor) -> Tensor:
        """(…, rows, elements · terms) from (…, all numbers)."""
        rows, elements, terms = self.shape
        part = numbers[..., self.span]
        return part.reshape(*numbers.shape[:-1], rows, elements * terms)

    def by_element(self, numbers: Tensor) -> Tensor:
        """(n · elements, rows, terms) from (n, all numbers)."""
        rows, elements, terms = self.shape
        own = numbers[:, self.span].reshape(-1, rows, elements, terms)
        return own.transpose(1, 2).reshape(-1, rows, terms)

    def flat(self, by_element: Tensor) -> Tensor:
        """(n, own numbers) from (n · elements, rows, terms)."""
        rows, elements, terms = self.shape
        own = by_element.view(-1, elements, rows, terms)
        return own.transpose(1, 2).reshape(len(own), rows * elements * terms)

    def coefficients(self) -> NDArray[np.float64]:
        """(N, elements · terms) c of the series; 0 of elements that it does not see."""
        _, elements, terms = self.shape
        own = np.zeros((self.series.n_functions, elements, terms))
        for symbol, rows in zip(self.series.neighbors, self.series.coefficients, strict=True):
            own[:, self.elements.index(symbol)] = rows
        return own.reshape(len(own), -1)


def blocks_of(functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> list[Block]:
    """The blocks of one element's functions of moments, in the order of their series."""
    own = [f for f in functions if isinstance(f, MomentFunction)]
    blocks: list[Block] = []
    for series in dict.fromkeys(f.series for f in own):
        places = [i for i, f in enumerate(functions) if f.table == series]
        degrees = [d for i in places for d in own[i].factor_degrees]
        rows = slice(min(degrees) ** 2, (max(degrees) + 1) ** 2)
        shape = (rows.stop - rows.start, len(elements), len(series.coefficients[0][0]))
        start = blocks[-1].span.stop if blocks else 0
        blocks.append(Block(series, tuple(places), rows, start, shape, tuple(elements)))
    return blocks


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of one element's atoms (centres), and the factors of their parts of B.

    Attributes:
        n: centres.
        center: (p,) centre, counted within the element.
        atoms: (p, 2) both atoms, counted within the structure.
        element: (p,) of the neighbour.
        vector, unit: (p, 3) from centre to neighbour, Å, and of length 1.
        y, dy: (p, rows) Y_lm and (p, rows, 3) its gradient by the neighbour's position.
        g, dg: per block (p, terms) g_k and its slope.
    """

    n: int
    center: Tensor
    atoms: Tensor
    element: Tensor
    vector: Tensor
    unit: Tensor
    y: Tensor
    dy: Tensor
    g: list[Tensor]
    dg: list[Tensor]


@dataclass(frozen=True, eq=False)
class _AllPairs:
    """Pairs of all elements' atoms, those of one element together; see `_Pairs`.

    Attributes:
        radial: (p, terms) g_k and its slope by `Block.basis`.
    """

    atoms: Tensor
    element: Tensor
    vector: Tensor
    unit: Tensor
    y: Tensor
    dy: Tensor
    radial: dict[object, tuple[Tensor, Tensor]]

    def of(self, part: slice, n: int, center: Tensor, blocks: Sequence[Block]) -> _Pairs:
        """Those of one element's n atoms, without a copy."""
        radial = [self.radial[block.basis] for block in blocks]
        return _Pairs(
            n,
            center,
            self.atoms[part],
            self.element[part],
            self.vector[part],
            self.unit[part],
            self.y[part],
            self.dy[part],
            [g[part] for g, _ in radial],
            [dg[part] for _, dg in radial],
        )


class _Tables(list[_Pairs]):
    """Pairs by the centre's element."""

    @property
    def nbytes(self) -> int:
        """Of all tensors."""
        tensors = [
            tensor
            for t in self
            for tensor in (t.center, t.atoms, t.element, t.vector, t.unit, t.y, t.dy, *t.g, *t.dg)
        ]
        found: int = sum(tensor.nbytes for tensor in tensors)
        return found


class UncontractedProducts:
    """B, J v and Jᵀ v of the uncontracted moments, as one array (n_e, numbers) per element.

    The methods of `DescriptorProducts`.

    Args:
        functions: per element symbol, by atomic number; all are functions of moments.
        dtype: of what is kept of each pair.
        device: where tensors lie.
    """

    def __init__(
        self,
        functions: dict[str, tuple[SymmetryFunction, ...]],
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device, self.dtype = torch.device(device), dtype
        self.elements = tuple(functions)
        self.blocks = [blocks_of(own, self.elements) for own in functions.values()]
        self.widths = [own[-1].span.stop for own in self.blocks]
        rows = max(b.rows.stop for own in self.blocks for b in own)
        self._l_max = int(np.sqrt(rows)) - 1
        self._cutoff = max(max(b.series.radii) for own in self.blocks for b in own)

    @property
    def pair_bytes(self) -> list[int]:
        """Of what is kept of a pair, per element of its centre."""
        found = []
        for own in self.blocks:
            rows, terms = max(b.rows.stop for b in own), sum(b.shape[2] for b in own)
            numbers = 6 + 4 * rows + 2 * terms  # vectors; y, dy; g, dg
            found.append(numbers * self.dtype.itemsize + 4 * 8)
        return found

    def place(self, structure: Structure) -> Place:
        """What every product of a structure needs."""
        with torch.inference_mode(False):
            element = np.array([self.elements.index(s) for s in structure.symbols], np.int64)
            found = neighbor_list(structure, self._cutoff)
            order = np.argsort(element[found.i], kind="stable")
            i, j = found.i[order], found.j[order]
            counts = np.bincount(element[i], minlength=len(self.elements)).tolist()
            pairs = self._pairs(element, i, j, found.vectors[order])
            tables, start = _Tables(), 0
            for e, count in enumerate(counts):
                own = np.flatnonzero(element == e)
                part = slice(start, start + count)
                center = self.index(np.searchsorted(own, i[part]))
                tables.append(pairs.of(part, len(own), center, self.blocks[e]))
                start = part.stop
            atoms = [self.index(np.flatnonzero(element == e)) for e in range(len(self.elements))]
            return Place(structure, tables, atoms, None, None)

    def _pairs(
        self,
        element: NDArray[np.int64],
        i: NDArray[np.int64],
        j: NDArray[np.int64],
        vectors: NDArray[np.float64],
    ) -> _AllPairs:
        """All pairs of a structure at once: small ones cost what calls cost."""
        vector = torch.from_numpy(np.ascontiguousarray(vectors)).to(self.device)
        neighbor = self.index(element[j])
        r = torch.linalg.norm(vector, dim=1)
        unit = vector / r[:, None]
        y, dy = angular_factors(r, unit, self._l_max)
        radial: dict[object, tuple[Tensor, Tensor]] = {}
        for block in (b for own in self.blocks for b in own):
            if block.basis not in radial:
                g, dg = radial_factors(block.series, self.elements, r, neighbor)
                radial[block.basis] = g.to(self.dtype), dg.to(self.dtype)
        return _AllPairs(
            self.index(np.stack([i, j], 1)),
            neighbor,
            vector.to(self.dtype),
            unit.to(self.dtype),
            y.to(self.dtype),
            dy.to(self.dtype),
            radial,
        )

    def descriptors(self, place: Place) -> list[Tensor]:
        """(n_e, numbers) B."""
        return [self._summed(e, t, t.g, t.y) for e, t in enumerate(_tables(place))]

    def jvp(
        self, place: Place, direction: Tensor | None, strain: Tensor | None = None
    ) -> list[Tensor]:
        """(n_e, numbers) dB along a displacement (n, 3), or along a strain (3, 3)."""
        found = []
        for e, t in enumerate(_tables(place)):
            if strain is not None:
                moved = t.vector @ strain.to(self.dtype).T
            else:
                ends = direction.to(self.dtype)[t.atoms]  # type: ignore[union-attr]
                moved = ends[:, 1] - ends[:, 0]
            found.append(self._changed(e, t, moved))
        return found

    def strain(self, place: Place) -> list[Tensor]:
        """(6, n_e, numbers) dB/d(strain) in Voigt order, each off-diagonal pair half-half."""
        rows = []
        for a, b in VOIGT:
            strain = torch.zeros((3, 3), dtype=torch.float64, device=self.device)
            strain[a, b] += 0.5
            strain[b, a] += 0.5
            rows.append(self.jvp(place, None, strain))
        return [torch.stack(parts) for parts in zip(*rows, strict=True)]

    def vjp(self, place: Place, dl_db: Sequence[Tensor]) -> Tensor:
        """(n, 3) dL/dr from dL/dB (n_e, numbers)."""
        total = torch.zeros((len(place.structure), 3), dtype=self.dtype, device=self.device)
        for e, (t, weights) in enumerate(zip(_tables(place), dl_db, strict=True)):
            along, free = torch.zeros_like(t.y[:, 0]), torch.zeros_like(t.y)
            for block, g, dg in zip(self.blocks[e], t.g, t.dg, strict=True):
                picked = block.by_element(weights)[t.center * block.shape[1] + t.element]
                free[:, block.rows] += torch.bmm(picked, g[:, :, None])[:, :, 0]
                slopes = torch.bmm(picked, dg[:, :, None])[:, :, 0]
                along = along + (slopes * t.y[:, block.rows]).sum(1)
            pull = along[:, None] * t.unit + torch.bmm(free[:, None, :], t.dy)[:, 0]
            total.index_add_(0, t.atoms[:, 1], pull)
            total.index_add_(0, t.atoms[:, 0], -pull)
        return total

    def columns(self, place: Place, components: NDArray[np.int64]) -> list[Columns]:
        """Columns of J for force components 3 a + c, per element."""
        return [self._columns(e, t, components) for e, t in enumerate(_tables(place))]

    def _columns(self, e: int, t: _Pairs, components: NDArray[np.int64]) -> Columns:
        ends = t.atoms.cpu().numpy()
        found = [_matching(ends[:, end], components // 3) for end in (1, 0)]  # neighbour, centre
        number, pair = (np.concatenate(parts) for parts in zip(*found, strict=True))
        signs = np.repeat([1.0, -1.0], [len(numbers) for numbers, _ in found])
        kept = ends[pair, 0] != ends[pair, 1]  # its own image moves with it
        number, pair, signs = number[kept], pair[kept], signs[kept]
        center = t.center.cpu().numpy()[pair]
        keys, row = np.unique(number * max(t.n, 1) + center, return_inverse=True)
        felt, first = np.unique(keys // max(t.n, 1), return_index=True)
        counts = np.diff(np.append(first, len(keys)))
        longest = int(counts.max()) if len(counts) else 0
        slot = np.repeat(felt, counts) * longest
        slot = slot + np.arange(len(keys)) - np.repeat(first, counts)
        centers = np.zeros(len(components) * longest, np.int64)
        centers[slot] = keys % max(t.n, 1)
        values = self._values(
            e,
            t,
            self.index(pair),
            self.index(components % 3)[self.index(number)],
            self.index(slot[row] if len(row) else row),
            torch.from_numpy(signs).to(t.y),
            len(components) * longest,
        )
        shape = (len(components), longest)
        return Columns(self.index(centers).view(shape), values.view(*shape, self.widths[e]))

    def _values(
        self, e: int, t: _Pairs, pair: Tensor, axis: Tensor, row: Tensor, sign: Tensor, n: int
    ) -> Tensor:
        """(n, numbers) changes of B with one atom's displacement along an axis, by rows."""
        values = torch.zeros((n, self.widths[e]), dtype=self.dtype, device=self.device)
        rate = sign * t.unit[pair].gather(1, axis[:, None])[:, 0]
        dy = t.dy[pair, :, axis] * sign[:, None]
        y, element = t.y[pair], t.element[pair]
        for block, g, dg in zip(self.blocks[e], t.g, t.dg, strict=True):
            rows, elements, terms = block.shape
            change = torch.bmm(
                torch.stack([y[:, block.rows], dy[:, block.rows]], 2),
                torch.stack([dg[pair] * rate[:, None], g[pair]], 1),
            )
            own = change.new_zeros((n * elements, rows, terms))
            own.index_add_(0, row * elements + element, change)
            values[:, block.span] = block.flat(own)
        return values

    def _changed(self, e: int, t: _Pairs, moved: Tensor) -> Tensor:
        rate = (t.unit * moved).sum(1, keepdim=True)
        dy = torch.bmm(t.dy, moved[:, :, None])[:, :, 0]
        radial = self._summed(e, t, [dg * rate for dg in t.dg], t.y)
        return radial + self._summed(e, t, t.g, dy)

    def _summed(self, e: int, t: _Pairs, g: Sequence[Tensor], y: Tensor) -> Tensor:
        """Σ over neighbours of g_k Y_lm."""
        found = []
        for block, own in zip(self.blocks[e], g, strict=True):
            rows, elements, terms = block.shape
            part = own.new_zeros((t.n * elements, rows, terms))
            outer = y[:, block.rows, None] * own[:, None, :]
            part.index_add_(0, t.center * elements + t.element, outer)
            found.append(block.flat(part))
        return torch.cat(found, 1)

    def index(self, array: NDArray[np.int64]) -> Tensor:
        """Numbers of the host, to take rows of tensors with."""
        return torch.from_numpy(np.ascontiguousarray(array, np.int64)).to(self.device)


def _matching(
    values: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All (number of a wanted one, place in values) with equal values.

    >>> [a.tolist() for a in _matching(np.array([3, 1, 3]), np.array([1, 3]))]
    [[0, 1, 1], [1, 0, 2]]
    """
    order = np.argsort(values, kind="stable")
    low, high = (np.searchsorted(values[order], wanted, side) for side in ("left", "right"))
    counts = high - low
    number = np.repeat(np.arange(len(wanted)), counts)
    within = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
    return number, order[np.repeat(low, counts) + within]


def _tables(place: Place) -> _Tables:
    tables: _Tables = place.handle  # type: ignore[assignment]
    return tables
