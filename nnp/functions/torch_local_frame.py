"""Deep Potential's local frames in torch; `nnp.functions.local_frame` has the formula.

TorchScript-compatible, which is why annotations are not postponed here.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nnp.functions.torch_terms import NeighborhoodTerms

# sin θ between the axes' neighbours, at and below which they lie in a line.
_IN_LINE = 0.01


class LocalFrameTerms(NeighborhoodTerms):
    """Functions of one frame and cutoff, of several neighbour elements."""

    depth: list[int]
    column: Tensor

    def __init__(self, functions: Sequence[Any], elements: Sequence[str]) -> None:
        super().__init__(functions, elements)
        self.in_line: float = _IN_LINE
        first = functions[0]
        symbols = first.axes or ("", "")
        self.axis_a: int = elements.index(symbols[0]) if symbols[0] else -1
        self.axis_b: int = elements.index(symbols[1]) if symbols[1] else -1
        # slots of each neighbour element, one after the other; four components in each
        self.depth = [max([0, *(f.place for f in functions if f.neighbor == s)]) for s in elements]
        begin = [sum(self.depth[:e]) for e in range(len(elements))]
        columns = [
            4 * (begin[elements.index(f.neighbor)] + f.place - 1) + "rxyz".index(f.component)
            for f in functions
        ]
        self.register_buffer("column", torch.tensor(columns, dtype=torch.int64))

    def forward(self, center: Tensor, element: Tensor, vector: Tensor, r: Tensor, n: int) -> Tensor:
        """See `NeighborhoodTerms`."""
        order = torch.argsort(r.detach(), stable=True)
        order = order[torch.argsort(center[order], stable=True)]
        center, element, vector, r = center[order], element[order], vector[order], r[order]
        x, y, z = self._coordinates(center, element, vector, r, n)
        f_c = self.f_c(r)
        rows = torch.stack([1 / r, x / r**2, y / r**2, z / r**2], 1) * f_c.unsqueeze(1)
        slots = rows.new_zeros(n * sum(self.depth), 4)
        begin = 0
        for e, depth in enumerate(self.depth):
            p = torch.nonzero(element == e).squeeze(1)
            place = _places(center[p], n)
            p, place = p[place < depth], place[place < depth]
            slots = slots.index_add(0, center[p] * sum(self.depth) + begin + place, rows[p])
            begin += depth
        values: Tensor = slots.view(n, 4 * sum(self.depth))[:, self.column]
        return values

    def _coordinates(
        self, center: Tensor, element: Tensor, vector: Tensor, r: Tensor, n: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(p,) each, of every neighbour in its centre's frame; pairs by centre and distance."""
        every = element >= 0
        a = _first(center, every, element, self.axis_a, n)
        e_x = (vector / r.unsqueeze(1))[a[center]]
        x = (vector * e_x).sum(1)
        off = vector - x.unsqueeze(1) * e_x
        beside = torch.linalg.norm(off.detach(), dim=1) > self.in_line * r.detach()
        b = _first(center, beside, element, self.axis_b, n)[center]
        framed = b >= 0
        # where no frame is, any vector that can be differentiated
        spare = torch.cat([off, torch.ones_like(off[:1])])[torch.where(framed, b, -1)]
        e_y = spare / torch.linalg.norm(spare, dim=1, keepdim=True)
        y, z = (vector * e_y).sum(1), (vector * torch.linalg.cross(e_x, e_y)).sum(1)
        # 0 by construction: exactly, so that no fit takes rounding for an input
        number, nothing = torch.arange(r.numel(), device=r.device), torch.zeros_like(x)
        has_y = framed & (number != a[center])
        return x, torch.where(has_y, y, nothing), torch.where(has_y & (number != b), z, nothing)


def _places(center: Tensor, n: int) -> Tensor:
    """(p,) 0 for the first of each centre, 1 for the next: centres ascending."""
    counts = torch.bincount(center, minlength=n)
    begin = torch.cumsum(counts, 0) - counts
    return torch.arange(center.numel(), device=center.device) - begin[center]


def _first(center: Tensor, allowed: Tensor, element: Tensor, wanted: int, n: int) -> Tensor:
    """(n,) each centre's first allowed pair of an element, else of any, else −1."""
    found = center.new_full([n], -1)
    steps = [allowed]
    if wanted >= 0:
        steps.append(allowed & (element == wanted))
    for chosen in steps:
        p = torch.nonzero(chosen).squeeze(1)
        p = p[_places(center[p], n) == 0]
        found = found.index_copy(0, center[p], p)
    return found
