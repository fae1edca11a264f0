"""Spherical harmonics of the reference against SciPy's, and how three of them couple."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import lpmv

torch = pytest.importorskip("torch")

from nnp.reference.harmonics import coupling, harmonics  # noqa: E402


def scipy_harmonics(l_max, unit):
    """Real harmonics up to signs from SciPy's Legendre functions."""
    phi, columns = np.arctan2(unit[:, 1], unit[:, 0]), []
    for degree in range(l_max + 1):
        for m in range(-degree, degree + 1):
            k = abs(m)
            ratio = math.factorial(degree - k) / math.factorial(degree + k)
            norm = math.sqrt((2 * degree + 1) / (4 * math.pi) * ratio * (2 if k else 1))
            angle = np.cos(k * phi) if m >= 0 else np.sin(k * phi)
            columns.append((-1) ** k * norm * lpmv(k, degree, unit[:, 2]) * angle)
    return np.stack(columns, 1)


def unit_vectors(n):
    vectors = np.random.default_rng(0).normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_values():
    unit = unit_vectors(40)
    found = harmonics(torch.from_numpy(unit), 8).numpy()
    np.testing.assert_allclose(found, scipy_harmonics(8, unit), atol=1e-13)


@pytest.mark.parametrize("degrees", [(2, 2, 2), (1, 1, 2), (1, 2, 3), (2, 3, 3), (1, 3, 4)])
def test_coupling_does_not_change_in_rotations(degrees):
    rng = np.random.default_rng(1)
    vectors, weights = unit_vectors(5), rng.normal(size=(3, 5))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)

    def invariant(at):
        moments = weights @ harmonics(torch.from_numpy(at), 4).numpy()
        return sum(
            c * np.prod([moments[a, row] for a, row in enumerate(rows)])
            for *rows, c in coupling(*degrees)
        )

    assert invariant(vectors @ turn) == pytest.approx(invariant(vectors), rel=1e-12)
    assert abs(invariant(vectors)) > 1e-3


def test_coupling_by_hand():
    """q222 of one neighbour: the 3j symbol at zero times the harmonics' norms."""
    y = harmonics(torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64), 2).numpy()[0]
    value = sum(c * y[i] * y[j] * y[k] for i, j, k, c in coupling(2, 2, 2))
    assert value == pytest.approx(-math.sqrt(2 / 35) * math.sqrt(5 / (4 * math.pi)) ** 3, rel=1e-13)


def test_no_coupling():
    assert coupling(1, 1, 4) == ()
