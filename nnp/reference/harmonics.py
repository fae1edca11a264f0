"""Real orthonormal spherical harmonics, and how three of them couple to a number.

TorchScript-compatible where it computes, which is why annotations are not postponed here.
"""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor


def harmonics(unit: Tensor, l_max: int) -> Tensor:
    """Y_lm of unit vectors, ∫ Y² dΩ = 1, as polynomials.

    Y_lm ∝ (dᵐP_l/dzᵐ)(z) · Re (x + iy)^m for m ≥ 0, Im (x + iy)^|m| for m < 0.

    Args:
        unit: (p, 3).
        l_max: largest l.

    Returns:
        (p, (l_max + 1)²) in the order l² + l + m.
    """
    x, y, z = unit[:, 0], unit[:, 1], unit[:, 2]
    columns: list[Tensor] = [torch.ones_like(z) for _ in range((l_max + 1) * (l_max + 1))]
    cosine, sine = torch.ones_like(z), torch.zeros_like(z)
    for m in range(l_max + 1):
        if m > 0:
            cosine, sine = x * cosine - y * sine, x * sine + y * cosine
        below, legendre = torch.zeros_like(z), torch.ones_like(z) * _odd_factorial(m)
        for l in range(m, l_max + 1):  # noqa: E741  the paper's letter
            norm = _norm(l, m)
            columns[l * l + l + m] = norm * legendre * cosine
            if m > 0:
                columns[l * l + l - m] = norm * legendre * sine
            above = ((2 * l + 1) * z * legendre - (l + m) * below) / (l - m + 1)
            below, legendre = legendre, above
    return torch.stack(columns, 1)


def _norm(l: int, m: int) -> float:  # noqa: E741
    ratio = 1.0
    for k in range(l - m + 1, l + m + 1):
        ratio = ratio / k
    return math.sqrt((2 * l + 1) / (4 * math.pi) * ratio * (2.0 if m > 0 else 1.0))


def _odd_factorial(m: int) -> float:
    product = 1.0
    for k in range(1, m + 1):
        product = product * (2 * k - 1)
    return product


@cache
def coupling(a: int, b: int, c: int) -> tuple[tuple[int, int, int, float], ...]:
    """Terms (row, row, row, coefficient) of Σ_m (a b c; m_a m_b m_c) A_a B_b C_c, real moments.

    Rows count Y_lm as `harmonics` does. Wigner's 3j symbols by Racah's formula, and the unitary
    matrix between complex and real harmonics.
    """
    terms: dict[tuple[int, int, int], complex] = {}
    for m_a in range(-a, a + 1):
        for m_b in range(-b, b + 1):
            m_c = -m_a - m_b
            if abs(m_c) > c:
                continue
            symbol = _wigner_3j(a, b, c, m_a, m_b, m_c)
            for i, u in _real_parts(a, m_a):
                for j, v in _real_parts(b, m_b):
                    for k, w in _real_parts(c, m_c):
                        terms[i, j, k] = terms.get((i, j, k), 0) + symbol * u * v * w
    kept = {rows: value.real for rows, value in terms.items() if abs(value) > 1e-12}
    return tuple((*rows, value) for rows, value in sorted(kept.items()))


def chebyshev_in_legendre(order: int, legacy: bool = False) -> list[float]:
    """C_l of T_order(x(t)) = Σ_l C_l P_l(t), l ≤ order; x = t, or (2t − π)/π.

    By t P_l = ((l+1) P_{l+1} + l P_{l−1})/(2l+1) in T_{n+1} = 2x T_n − T_{n−1}.
    """
    step = np.zeros((order + 1, order + 1))  # x as a matrix over Legendre coefficients
    for l in range(order + 1):  # noqa: E741
        for other, factor in ((l + 1, l + 1), (l - 1, l)):
            if 0 <= other <= order:
                step[other, l] = factor / (2 * l + 1)
    if legacy:
        step = 2 / math.pi * step - np.eye(order + 1)
    before, value = np.zeros(order + 1), np.eye(order + 1)[0]
    for n in range(order):
        before, value = value, (2 if n else 1) * step @ value - before
    return [float(c) for c in value]


def _real_parts(l: int, m: int) -> list[tuple[int, complex]]:  # noqa: E741
    """A complex moment as real ones: rows and factors."""
    centre = l * l + l
    if m == 0:
        return [(centre, 1)]
    factor = (-1) ** m if m > 0 else 1
    sign = 1 if m > 0 else -1
    k = abs(m)
    return [
        (centre + k, factor / math.sqrt(2)),
        (centre - k, factor * sign * 1j / math.sqrt(2)),
    ]


def _wigner_3j(a: int, b: int, c: int, m_a: int, m_b: int, m_c: int) -> float:
    f = math.factorial
    if not abs(a - b) <= c <= a + b:
        return 0.0
    delta = f(a + b - c) * f(a - b + c) * f(-a + b + c) / f(a + b + c + 1)
    states = f(a + m_a) * f(a - m_a) * f(b + m_b) * f(b - m_b) * f(c + m_c) * f(c - m_c)
    lowest = max(0, b - c - m_a, a - c + m_b)
    highest = min(a + b - c, a - m_a, b + m_b)
    total = sum(
        (-1) ** t
        / (
            f(t)
            * f(c - b + t + m_a)
            * f(c - a + t - m_b)
            * f(a + b - c - t)
            * f(a - t - m_a)
            * f(b - t + m_b)
        )
        for t in range(lowest, highest + 1)
    )
    return float((-1) ** (a - b - m_c) * math.sqrt(delta * states) * total)
