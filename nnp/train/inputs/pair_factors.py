"""The two factors of a pair's part of the uncontracted moments, g_k(r) and Y_lm(r̂), with slopes.

Formulas are those of `nnp.reference`. Their derivatives are written out rather than left to
automatic differentiation, which took nine tenths of the time of a structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from nnp.functions import RadialSeries
from nnp.functions.torch_formulas import cutoff_function
from nnp.reference.harmonics import harmonics
from nnp.reference.moments import chebyshev, chebyshev_argument


def angular_factors(r: Tensor, unit: Tensor, l_max: int) -> tuple[Tensor, Tensor]:
    """Y_lm and its gradient by the neighbour's position.

    r^l Y_lm has a gradient that is made of r^(l-1) Y_(l-1)m, so that at r = 1
    ∇Y_lm = Σ_m' M_lm,m' Y_(l-1)m' − l Y_lm r̂ with constants M.

    Args:
        r: (p,) Å.
        unit: (p, 3).
        l_max: largest l.

    Returns:
        (p, rows) and (p, rows, 3), 1/Å.
    """
    y = harmonics(unit, l_max)
    matrix, degrees = _solid_gradient(l_max)
    matrix, degrees = matrix.to(unit), degrees.to(unit)
    solid = (y @ matrix).view(*y.shape, 3)
    return y, (solid - (degrees * y)[:, :, None] * unit[:, None, :]) / r[:, None, None]


def radial_factors(
    series: RadialSeries, elements: Sequence[str], r: Tensor, neighbor: Tensor
) -> tuple[Tensor, Tensor]:
    """g_k = T_k(x(r)) f_c(r) of a series, with no coefficients, and dg_k/dr.

    Args:
        series: gives x, f_c and their radii.
        elements: all symbols.
        r: (p,) Å.
        neighbor: (p,) which of the elements.

    Returns:
        (p, terms) each.
    """
    terms = len(series.coefficients[0][0])
    radii = dict(zip(series.neighbors, series.radii, strict=True))
    by_element = r.new_tensor([radii.get(symbol, 0.0) for symbol in elements])[neighbor]
    values, slopes = r.new_zeros((len(r), terms)), r.new_zeros((len(r), terms))
    for radius in sorted(set(radii.values())):
        p = torch.nonzero((by_element == radius) & (r < radius))[:, 0]
        values[p], slopes[p] = _series(series, float(radius), r[p], terms)
    return values, slopes


def _series(series: RadialSeries, radius: float, r: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():  # type: ignore[no-untyped-call]
        own = r.detach().requires_grad_()
        f_c = cutoff_function(own, int(series.cutoff_kind), radius, float(series.inner_fraction))
        x = chebyshev_argument(own, r.new_tensor(radius), int(series.argument))
        (df_c,) = torch.autograd.grad(f_c.sum(), own)
        (dx,) = torch.autograd.grad(x.sum(), own)
    f_c, x = f_c.detach(), x.detach()
    t = chebyshev(x, terms)
    steps = [torch.zeros_like(x), torch.ones_like(x)]
    for k in range(2, terms):  # the derivative of T_k = 2 x T_(k-1) − T_(k-2)
        steps.append(2 * t[:, k - 1] + 2 * x * steps[-1] - steps[-2])
    dt = torch.stack(steps[:terms], 1) * dx[:, None]
    return f_c[:, None] * t, df_c[:, None] * t + f_c[:, None] * dt


@cache
def _solid_gradient(l_max: int) -> tuple[Tensor, Tensor]:
    """M (rows, rows · 3) and l of each row; M is found on points of the sphere, once.

    4 (2l − 1) / (2l + 1) M² are whole numbers, so that the same M comes out in every process: what
    least squares give depends on where their arrays lie in memory, and a resumed fit would differ.
    """
    rows = (l_max + 1) ** 2
    degrees = torch.from_numpy(np.floor(np.sqrt(np.arange(rows))))
    points = np.random.default_rng(0).normal(size=(4 * rows, 3))
    with torch.enable_grad():  # type: ignore[no-untyped-call]
        vector = torch.from_numpy(points / np.linalg.norm(points, axis=1)[:, None])
        vector.requires_grad_()
        y = harmonics(vector / torch.linalg.norm(vector, dim=1, keepdim=True), l_max)
        sums = [column.sum() + 0 * vector.sum() for column in y.T]  # Y_00 is a constant
        found = [torch.autograd.grad(s, vector, retain_graph=True)[0] for s in sums]
    surface, y, unit = torch.stack(found, 1), y.detach(), vector.detach()
    solid = surface + (degrees * y)[:, :, None] * unit[:, None, :]
    found = torch.linalg.lstsq(y, solid.flatten(1)).solution
    scale = (4 * (2 * degrees - 1) / (2 * degrees + 1)).repeat_interleave(3)
    matrix = torch.sign(found) * torch.sqrt(torch.round(scale * found**2) / scale)
    return matrix + 0.0, degrees
