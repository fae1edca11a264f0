"""Symmetry functions as torch operators: values, first and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from nnp.errors import OptionError, StructureError
from nnp.testing import random_potential, random_structure, structures

torch = pytest.importorskip("torch", reason="the operators are torch's")

from nnp.descriptor_ops import SymmetryFunctions  # noqa: E402


def tensors(structure):
    """Positions with a gradient, and the rest."""
    positions = torch.tensor(structure.positions, requires_grad=True)
    arrays = (structure.atomic_numbers, structure.cell, structure.pbc)
    return positions, [torch.tensor(array) for array in arrays]


def test_values(binary):
    box = structures(("H", "O"))["triclinic"]
    positions, rest = tensors(box)
    got = SymmetryFunctions(binary)(positions, *rest).detach().numpy()
    wanted = np.concatenate(binary.descriptors(box, engine="reference"))
    np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-11 * np.abs(wanted).max())


def test_gradients_once_and_twice():
    potential = random_potential(("H", "O"), 3, ("radial", "angular_narrow", "angular_wide"))
    box = random_structure(("H", "O"), 4, 5, density=0.03)
    positions, rest = tensors(box)
    symmetry = SymmetryFunctions(potential, threads=1)
    assert float(symmetry(positions, *rest).detach().abs().max()) > 0.1
    torch.autograd.gradcheck(lambda r: symmetry(r, *rest), positions, eps=1e-5)
    torch.autograd.gradgradcheck(lambda r: symmetry(r, *rest), positions, eps=1e-5, atol=1e-4)


def test_force_loss_trains():
    """A loss on forces reaches a network's weights as through the reference functions."""
    potential = random_potential(("Si",), 6, ("radial", "angular_narrow"))
    box = structures()["rattled"]
    positions, rest = tensors(box)
    symmetry = SymmetryFunctions(potential)
    width = len(potential.models[0].functions)
    weights = torch.linspace(-1, 1, width, dtype=torch.float64, requires_grad=True)

    def loss_of(values):
        energy = torch.tanh(values.reshape(-1, width) @ weights).sum()
        (gradient,) = torch.autograd.grad(energy, positions, create_graph=True)
        return (gradient**2).sum()

    (got,) = torch.autograd.grad(loss_of(symmetry(positions, *rest)), weights)
    h, numeric = 1e-5, []
    for index in range(width):
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                weights[index] += sign * h
            losses.append(float(loss_of(symmetry(positions, *rest)).detach()))
            with torch.no_grad():
                weights[index] -= sign * h
        numeric.append((losses[0] - losses[1]) / (2 * h))
    assert np.abs(numeric).max() > 1e-3
    np.testing.assert_allclose(got.numpy(), numeric, atol=1e-7 * np.abs(numeric).max())


def test_bad_input(silicon):
    box = structures()["rattled"]
    positions, rest = tensors(box)
    symmetry = SymmetryFunctions(silicon)
    with pytest.raises(OptionError, match=r"positions are torch\.float32: .*float64"):
        symmetry(positions.float(), *rest)
    with pytest.raises(StructureError, match=r"no atoms"):
        symmetry(positions[:0], rest[0][:0], *rest[1:])
    found = symmetry(positions, *rest)
    del symmetry
    with pytest.raises(OptionError, match="keep the object as long as"):
        found.sum().backward()
