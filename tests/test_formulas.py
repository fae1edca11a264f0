"""The reference formulas against their definitions, written out independently with SymPy."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
import torch

from nnp.functions.torch_formulas import angle_deg, angular, compact, cutoff_function, decay
from nnp.networks import Activation
from nnp.reference.formulas import activation

X = sp.Symbol("x", real=True)
POLYNOMIALS = {
    "p1": 1 - 3 * X**2 + 2 * X**3,
    "p2": 1 - 10 * X**3 + 15 * X**4 - 6 * X**5,
    "p3": 1 - 35 * X**4 + 84 * X**5 - 70 * X**6 + 20 * X**7,
    "p4": 1 - 126 * X**5 + 420 * X**6 - 540 * X**7 + 315 * X**8 - 70 * X**9,
}
CORES = POLYNOMIALS | {"e": sp.exp(1 - 1 / (1 - X**2))}

R_C, ALPHA = 5, sp.Rational(3, 10)
R_OVER = X / R_C
INNER = (X - ALPHA * R_C) / (R_C - ALPHA * R_C)
CUTOFFS = {
    0: sp.Integer(1),
    1: (1 + sp.cos(sp.pi * INNER)) / 2,
    2: sp.tanh(1 - R_OVER) ** 3,
    3: sp.tanh(1 - R_OVER) ** 3 / sp.tanh(1) ** 3,
    4: CORES["e"].subs(X, INNER),
    5: CORES["p1"].subs(X, INNER),
    6: CORES["p2"].subs(X, INNER),
    7: CORES["p3"].subs(X, INNER),
    8: CORES["p4"].subs(X, INNER),
}
WITH_INNER = (1, 4, 5, 6, 7, 8)

ACTIVATIONS = {
    "l": X,
    "t": sp.tanh(X),
    "s": 1 / (1 + sp.exp(-X)),
    "p": sp.log(1 + sp.exp(X)),
    "r": sp.Max(X, 0),
    "g": sp.exp(-(X**2) / 2),
    "c": sp.cos(X),
    "S": 1 - 1 / (1 + sp.exp(-X)),
    "e": sp.exp(-X),
    "h": X**2,
    "mtanh": sp.Rational("1.7159") * sp.tanh(2 * X / 3),
    "twist": sp.Rational("1.7159") * sp.tanh(2 * X / 3) + X / 10,
}


def value_and_slope(function, points):
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = function(x) + 0 * x  # the hard cutoff does not depend on x
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach().numpy(), slope.numpy()


def assert_matches(function, expression, points):
    """Value and slope agree with 30-digit evaluations of the expression."""
    value, slope = value_and_slope(function, points)
    exact = [
        [float(e.evalf(30, subs={X: sp.Float(float(p), 30)})) for p in points]
        for e in (expression, sp.diff(expression, X))
    ]
    np.testing.assert_allclose(value, exact[0], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(slope, exact[1], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("core", CORES)
def test_decay(core):
    assert_matches(lambda x: decay(x, core), CORES[core], [0.05, 0.3, 0.5, 0.77, 0.95])


@pytest.mark.parametrize("core", CORES)
def test_decay_ends(core):
    value, slope = value_and_slope(lambda x: decay(x, core), [0.0, 1.0, 1.2])
    np.testing.assert_array_equal(value, [1, 0, 0])
    np.testing.assert_array_equal(slope, [0, 0, 0])


@pytest.mark.parametrize("kind", CUTOFFS)
def test_cutoff(kind):
    inner = float(ALPHA) if kind in WITH_INNER else 0.0
    assert_matches(
        lambda r: cutoff_function(r, kind, R_C, inner), CUTOFFS[kind], [1.6, 2.2, 3.5, 4.4, 4.95]
    )


@pytest.mark.parametrize("kind", CUTOFFS)
def test_cutoff_is_one_inside_and_zero_outside(kind):
    inner = float(ALPHA) if kind in WITH_INNER else 0.0
    value, slope = value_and_slope(
        lambda r: cutoff_function(r, kind, R_C, inner), [0.2, 1.4, R_C, R_C + 1e-4]
    )
    if kind in WITH_INNER or kind == 0:
        np.testing.assert_array_equal(value[:2], 1)
        np.testing.assert_array_equal(slope[:2], 0)
    else:
        assert (slope[:2] < 0).all()
    np.testing.assert_array_equal(value[2:], 0)
    np.testing.assert_array_equal(slope[2:], 0)


@pytest.mark.parametrize("kind", [k for k in CUTOFFS if k != 0])
def test_cutoff_ends_smoothly(kind):
    """Value and slope vanish at r_c, and not yet a little before."""
    edge = [R_C * (1 - 1e-4), R_C * 0.8]
    value, slope = value_and_slope(lambda r: cutoff_function(r, kind, R_C, 0.0), edge)
    assert abs(value[0]) < 1e-6
    assert abs(slope[0]) < 1e-3
    assert value[1] > 1e-3


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    points = [-31.0, -3.0, -0.4, 0.1, 1.0, 4.0, 25.0]
    assert_matches(lambda x: activation(x, name), ACTIVATIONS[name], points)


def test_every_activation_is_tested():
    assert set(ACTIVATIONS) == {a.value for a in Activation}


@pytest.mark.parametrize("zeta", [1.0, 2.0, 16.0, 3.7, -1.0, -2.0])
@pytest.mark.parametrize("lambda_", [1.0, -1.0])
def test_angular(lambda_, zeta):
    exact = sp.Rational(str(zeta))
    expression = 2 ** (1 - exact) * (1 + int(lambda_) * X) ** exact
    parameters = torch.tensor([lambda_]), torch.tensor([zeta], dtype=torch.float64)
    assert_matches(lambda c: angular(c, *parameters), expression, [-0.9, -0.3, 0.0, 0.6, 0.99])


def test_angular_is_zero_where_its_base_is_not_positive():
    lambda_, zeta = torch.tensor([1.4, 1.4]), torch.tensor([2.0, -1.0], dtype=torch.float64)
    c = torch.tensor([[-0.9], [-1.0]], dtype=torch.float64)
    assert (angular(c, lambda_, zeta) == 0).all()
    assert (angular(-c, lambda_, zeta) > 0).all()


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("asymmetric", [False, True])
def test_compact(core, asymmetric):
    left, right = sp.Rational(3, 2), sp.Integer(4)
    scaled = sp.Abs(X - (left + right) / 2) / ((right - left) / 2)
    if asymmetric:
        scaled = (2 - scaled) * scaled
    ends = [torch.tensor([float(end)], dtype=torch.float64) for end in (left, right)]

    def function(x):
        return compact(x, *ends, core, asymmetric)

    assert_matches(function, CORES[core].subs(X, scaled), [1.7, 2.3, 2.9, 3.6, 3.9])
    outside, _ = value_and_slope(function, [0.2, 1.4999, 1.5, 4.0, 4.3])
    np.testing.assert_array_equal(outside, 0)


def test_angle():
    value, slope = value_and_slope(angle_deg, [-1.0, -0.5, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(value, [180, 120, 90, 60, 0], atol=1e-5)
    assert np.isfinite(slope).all()
