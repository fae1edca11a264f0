"""Every formula of kernels/include against the reference's, value and derivative."""

from __future__ import annotations

import ctypes as ct
import math

import numpy as np
import pytest

from nnp.cutoffs import CutoffKind
from nnp.engines import _library
from nnp.engines.flatten import ACTIVATION_NUMBERS
from nnp.functions.core import CORE_NUMBERS, Core
from nnp.networks import TWIST_SLOPE, Activation

torch = pytest.importorskip("torch", reason="the reference formulas need torch")

from nnp.functions import torch_formulas  # noqa: E402
from nnp.reference import formulas  # noqa: E402

# enum nnp_formula of nnp.h
CUTOFF, COMPACT, GAUSSIAN, RADIAL_COSINE, ANGULAR, COMPACT_ANGLE, ACTIVATION, COSINE = range(8)


def evaluate(formula, kind, parameters, x):
    """Value and slope from the C headers."""
    value, slope = np.empty_like(x), np.empty_like(x)
    numbers = np.array([*parameters, 0.0], float)
    pointers = [a.ctypes.data_as(ct.POINTER(ct.c_double)) for a in (numbers, x, value, slope)]
    code = _library.load_library().nnp_formula_evaluate(
        formula, kind, pointers[0], len(x), *pointers[1:]
    )
    assert code == 0
    return value, slope


def assert_same(got, function, x, atol=1e-13):
    """Value and slope are those of a torch function and its autograd."""
    variable = torch.tensor(x).reshape(-1, 1).requires_grad_()
    value = function(variable)
    (slope,) = torch.autograd.grad(value.sum(), variable)
    value, slope = value.detach().numpy().ravel(), slope.numpy().ravel()
    assert np.abs(value).max() > 1e-3  # a comparison of zeros shows nothing
    np.testing.assert_allclose(got[0], value, rtol=1e-12, atol=atol * np.abs(value).max())
    np.testing.assert_allclose(got[1], slope, rtol=1e-11, atol=10 * atol * np.abs(slope).max())


def tensor(value):
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize("inner", [0.0, 0.4])
@pytest.mark.parametrize("kind", list(CutoffKind))
def test_cutoff(kind, inner):
    r = np.concatenate([np.linspace(0.05, 4.9, 98), [5.0, 5.1, 7.0]])
    got = evaluate(CUTOFF, int(kind), (5.0, inner), r)
    assert_same(got, lambda x: torch_formulas.cutoff_function(x, int(kind), 5.0, inner) + 0 * x, r)
    assert got[0][-3:].tolist() == [0, 0, 0]
    assert got[1][-3:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("core", list(Core))
@pytest.mark.parametrize("ends", [(0.5, 4.1), (-4.1, 4.1)])
def test_compact(core, asymmetric, ends):
    x = np.linspace(0.03, 4.6, 101)
    got = evaluate(COMPACT, CORE_NUMBERS[core], (*ends, float(asymmetric)), x)
    left, right = map(tensor, ends)
    assert_same(got, lambda t: torch_formulas.compact(t, left, right, core.value, asymmetric), x)


@pytest.mark.parametrize("eta", [0.0, 0.01, 0.7])
def test_gaussian(eta):
    r = np.linspace(0.1, 6, 60)
    got = evaluate(GAUSSIAN, 0, (eta, 1.3), r)
    assert_same(got, lambda x: torch.exp(-eta * (x - 1.3) ** 2), r)


def test_radial_cosine():
    r = np.linspace(0.1, 6, 60)
    assert_same(evaluate(RADIAL_COSINE, 0, (1.7,), r), lambda x: torch.cos(1.7 * x), r)


@pytest.mark.parametrize("lambda_", [-1.0, 0.5, 1.0, 1.4])
@pytest.mark.parametrize("zeta", [-1.0, 1.0, 2.0, 3.5, 16.0])
def test_angular(lambda_, zeta):
    cosine = np.linspace(-0.99, 0.99, 67)
    got = evaluate(ANGULAR, 0, (lambda_, zeta), cosine)
    assert_same(got, lambda x: torch_formulas.angular(x, tensor(lambda_), tensor(zeta)), cosine)


@pytest.mark.parametrize("core", list(Core))
@pytest.mark.parametrize("ends", [(20.0, 130.0), (-160.0, 160.0), (95.0, 265.0)])
def test_compact_angle(core, ends):
    cosine = np.cos(np.radians(np.linspace(1, 179, 90)))
    got = evaluate(COMPACT_ANGLE, CORE_NUMBERS[core], np.radians(ends), cosine)
    left, right = map(tensor, ends)

    def wanted(x):
        return torch_formulas.compact(torch_formulas.angle_deg(x), left, right, core.value, False)

    assert_same(got, wanted, cosine, 1e-12)


def test_compact_angle_has_no_slope_at_exact_collinearity():
    _, slope = evaluate(COMPACT_ANGLE, 1, np.radians((-90.0, 90.0)), np.array([-1.0, 1.0, 1.1]))
    assert slope.tolist() == [0, 0, 0]


@pytest.mark.parametrize("activation", list(Activation))
def test_activation(activation):
    x = np.linspace(-4.05, 4.0, 90)
    got = evaluate(ACTIVATION, ACTIVATION_NUMBERS[activation], (TWIST_SLOPE,), x)

    def wanted(t):
        return formulas.activation(t, activation.value) + 0 * t

    assert_same(got, wanted, x)


def test_softplus_far_out():
    x = np.array([-700.0, -40.0, 25.0, 800.0])
    value, slope = evaluate(ACTIVATION, ACTIVATION_NUMBERS[Activation.SOFTPLUS], (0,), x)
    np.testing.assert_allclose(value, np.logaddexp(x, 0), rtol=1e-14)
    np.testing.assert_allclose(slope, [math.exp(-700), math.exp(-40), 1 - math.exp(-25), 1.0])


def test_cosine_of_three_distances():
    r = np.linspace(1.2, 3.1, 20)
    got = evaluate(COSINE, 0, (2.0, 1.5), r)
    assert_same(got, lambda x: (x**2 + 2.0**2 - 1.5**2) / (2 * x * 2.0), r)
