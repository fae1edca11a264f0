"""Factors of a pair's uncontracted moments: slopes beside those of automatic differentiation."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from nnp.functions import RadialSeries  # noqa: E402
from nnp.reference.harmonics import harmonics  # noqa: E402
from nnp.train.inputs.moments import GeneratedMoments  # noqa: E402
from nnp.train.inputs.pair_factors import (  # noqa: E402
    _solid_gradient,
    angular_factors,
    radial_factors,
)

ELEMENTS = ("H", "O")


def vectors(count: int = 40) -> torch.Tensor:
    """Within and beyond the cutoff."""
    drawn = torch.randn((count, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return (3.0 * drawn).requires_grad_()


def slopes(columns: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    sums = [column.sum() + 0 * of.sum() for column in columns.T]
    return torch.stack([torch.autograd.grad(s, of, retain_graph=True)[0] for s in sums], 1)


@pytest.mark.parametrize("l_max", [0, 1, 4, 8])
def test_harmonics(l_max):
    vector = vectors()
    r = torch.linalg.norm(vector, dim=1)
    unit = vector / r[:, None]
    expected = harmonics(unit, l_max)
    y, dy = angular_factors(r.detach(), unit.detach(), l_max)
    torch.testing.assert_close(y, expected.detach(), rtol=0, atol=1e-14)
    torch.testing.assert_close(dy, slopes(expected, vector), rtol=0, atol=1e-11)


def test_constants_of_gradients_are_exact():
    """∂(r^l Y_lm)/∂z = √((2l + 1)/(2l − 1) (l² − m²)) r^(l−1) Y_(l−1)m, to the last digit.

    Rounding that differs from process to process would make a resumed fit another one.
    """
    matrix, _ = _solid_gradient(6)
    z = matrix.view(49, 49, 3)[:, :, 2]
    expected = torch.zeros_like(z)
    for l in range(1, 7):  # noqa: E741  the paper's letter
        for m in range(1 - l, l):
            row, column = (l - 1) * l + m, l * (l + 1) + m
            expected[row, column] = ((2 * l + 1) * (l * l - m * m) / (2 * l - 1)) ** 0.5
    torch.testing.assert_close(z, expected, rtol=3e-16, atol=0)


def test_no_pairs():
    """An element that a structure lacks, or an atom alone."""
    y, dy = angular_factors(torch.zeros(0), torch.zeros((0, 3)), 2)
    assert (y.shape, dy.shape) == ((0, 9), (0, 9, 3))


def test_series():
    """Both elements with a radius of their own; nothing beyond it."""
    series = next(f.series for f in GeneratedMoments(cutoff=4.0).for_elements(ELEMENTS)["O"])
    assert isinstance(series, RadialSeries)
    series = replace(series, radii=(4.0, 3.0))
    neighbor = torch.arange(40) % 2
    r = torch.linalg.norm(vectors(), dim=1).detach()
    g, dg = radial_factors(series, ELEMENTS, r, neighbor)
    step = 1e-5
    up, down = (radial_factors(series, ELEMENTS, r + s, neighbor)[0] for s in (step, -step))
    torch.testing.assert_close(dg, (up - down) / (2 * step), rtol=0, atol=1e-7)
    beyond = r > torch.tensor([4.0, 3.0], dtype=torch.float64)[neighbor]
    assert 0 < int(beyond.sum()) < 40
    assert not g[beyond].any()
    assert bool(g[~beyond].any(dim=1).all())
