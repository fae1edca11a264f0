"""Differentiable symmetry functions for torch, computed by an engine.

    symmetry = SymmetryFunctions(potential)  # or engine="gpu": tensors of CUDA stay there
    G = symmetry(positions, atomic_numbers, cell, pbc)  # all atoms' functions, one after the other
    loss(G).backward()  # and twice, as a force loss needs

Three operators, each the derivative of another: ``nnp::descriptors`` G(r), ``nnp::descriptors_vjp``
wᵀ dG/dr and ``nnp::descriptors_jvp`` (dG/dr) v. The vector-Jacobian product is linear in w, so that
its derivative by w is a Jacobian-vector product: exact. Its derivative by the positions is the
curvature of G, which no kernel computes; it is taken by four-point differences (relative accuracy
about 1e-8), so that Hessians come out too. Float64, Å.
"""

from __future__ import annotations

import uuid
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from nnp.distribution import install
from nnp.engines import create_engine
from nnp.errors import OptionError, UnavailableError
from nnp.potential import Potential
from nnp.structure import Structure

try:
    import torch
except ImportError as error:
    raise UnavailableError(
        f"nnp.descriptor_ops needs torch, which is not installed: {install('torch')}"
    ) from error
from torch import Tensor

# Å; the four-point stencil's error is h⁴/30 of the fifth derivative against rounding over h.
CURVATURE_STEP = 1e-3

_STRUCTURE = "Tensor positions, Tensor atomic_numbers, Tensor cell, Tensor pbc"
_operators: WeakValueDictionary[str, SymmetryFunctions] = WeakValueDictionary()


class SymmetryFunctions:
    """The raw symmetry functions of a potential as a differentiable function of positions.

    Tensors of CUDA stay on their device, on torch's current stream, where the engine is one that
    runs there (``"gpu"``, ``"auto"``); other engines are asked on the host, and results go back.

    Args:
        potential: whose functions; its networks play no part.
        engine: name of the engine: ``"cpu"``, ``"gpu"``, ``"opencl"``, ``"auto"``.
        **options: of the engine, such as ``threads``.

    Raises:
        OptionError: no such engine or option, or the engine has no derivatives of functions.
        UnavailableError: the engine cannot run here.
    """

    def __init__(self, potential: Potential, engine: str = "cpu", **options: Any) -> None:
        self._engine = create_engine(potential, engine, **options)
        able = self._engine.capabilities
        if not able.products or able.autograd:  # which torch switches off within its operators
            raise OptionError(
                f"engine={engine!r} has no products for derivatives of symmetry functions in torch "
                "operators: cpu, gpu, opencl and auto are allowed"
            )
        self._key = uuid.uuid4().hex
        _operators[self._key] = self

    def __call__(
        self, positions: Tensor, atomic_numbers: Tensor, cell: Tensor, pbc: Tensor
    ) -> Tensor:
        """All atoms' functions, atom after atom, each in canonical order.

        Args:
            positions: (n, 3), Å, float64.
            atomic_numbers: (n,) int64.
            cell: (3, 3), rows are cell vectors, Å; not differentiated.
            pbc: (3,) bool.

        Returns:
            (sum of the atoms' numbers of functions,) float64.

        Raises:
            OptionError: positions of another type.
            StructureError: atoms that cannot be evaluated.
        """
        if positions.dtype != torch.float64:
            raise OptionError(
                f"positions are {positions.dtype}: the symmetry functions are differentiated in "
                "float64 (positions.double())"
            )
        found: Tensor = torch.ops.nnp.descriptors(positions, atomic_numbers, cell, pbc, self._key)
        return found

    def values(self, structure: tuple[Tensor, ...]) -> Tensor:
        """G, flat, of positions, numbers, cell and pbc."""
        return self._asked(
            structure,
            lambda engine, *atoms: engine.descriptors_arrays(*atoms),
            lambda engine, atoms: np.concatenate(engine.descriptors(atoms, False)),
        )

    def pull_back(self, structure: tuple[Tensor, ...], weights: Tensor) -> Tensor:
        """wᵀ dG/dr, (n, 3)."""
        weights = weights.detach()
        return self._asked(
            structure,
            lambda engine, *atoms: engine.descriptor_vjp_arrays(*atoms, weights)[0],
            lambda engine, atoms: engine.descriptor_vjp(atoms, weights.cpu().numpy())[0],
        )

    def push_forward(self, structure: tuple[Tensor, ...], direction: Tensor) -> Tensor:
        """(dG/dr) v, flat."""
        direction = direction.detach()
        return self._asked(
            structure,
            lambda engine, *atoms: engine.descriptor_jvp_arrays(*atoms, direction),
            lambda engine, atoms: engine.descriptor_jvp(atoms, direction.cpu().numpy()),
        )

    def _asked(self, structure: tuple[Tensor, ...], there: Any, here: Any) -> Tensor:
        """``there`` with tensors that the engine's device takes, else ``here`` with a structure."""
        atoms = [t.detach() for t in structure]
        if self._engine.takes(atoms[0]):
            try:
                found: Tensor = there(self._engine, *(t.contiguous() for t in atoms))
            except UnavailableError as error:
                if not self._engine.change_over(error):  # engine="auto" does
                    raise
            else:
                return found
        values = here(self._engine, Structure(*(t.cpu().numpy() for t in atoms)))
        return torch.from_numpy(values).to(atoms[0].device)


def _operator(key: str) -> SymmetryFunctions:
    try:
        return _operators[key]
    except KeyError:
        raise OptionError(
            "nnp::descriptors was called with the key of a SymmetryFunctions object that is gone: "
            "keep the object as long as its results are differentiated"
        ) from None


def _descriptors(
    positions: Tensor, atomic_numbers: Tensor, cell: Tensor, pbc: Tensor, key: str
) -> Tensor:
    return _operator(key).values((positions, atomic_numbers, cell, pbc))


def _vjp(
    positions: Tensor, atomic_numbers: Tensor, cell: Tensor, pbc: Tensor, weights: Tensor, key: str
) -> Tensor:
    return _operator(key).pull_back((positions, atomic_numbers, cell, pbc), weights)


def _jvp(
    positions: Tensor, atomic_numbers: Tensor, cell: Tensor, pbc: Tensor, vector: Tensor, key: str
) -> Tensor:
    return _operator(key).push_forward((positions, atomic_numbers, cell, pbc), vector)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs[:-1])
    ctx.key = inputs[-1]


def _descriptors_backward(ctx: Any, grad: Tensor | None) -> tuple[Any, ...]:
    if grad is None:
        return (None,) * 5
    structure = ctx.saved_tensors
    gradient = torch.ops.nnp.descriptors_vjp(*structure, grad.contiguous(), ctx.key)
    return (gradient, *[None] * 4)


def _vjp_backward(ctx: Any, grad: Tensor | None) -> tuple[Any, ...]:
    """By the weights: a Jacobian-vector product. By the positions: curvature along ``grad``."""
    if grad is None:
        return (None,) * 6
    *structure, weights = ctx.saved_tensors
    grad = grad.contiguous()
    by_weights = torch.ops.nnp.descriptors_jvp(*structure, grad, ctx.key)
    by_positions = None
    if ctx.needs_input_grad[0]:
        by_positions = _curvature(torch.ops.nnp.descriptors_vjp, structure, weights, grad, ctx.key)
    return (by_positions, None, None, None, by_weights, None)


def _jvp_backward(ctx: Any, grad: Tensor | None) -> tuple[Any, ...]:
    """By the vector: a vector-Jacobian product. By the positions: curvature along ``vector``."""
    if grad is None:
        return (None,) * 6
    *structure, vector = ctx.saved_tensors
    grad = grad.contiguous()
    by_vector = torch.ops.nnp.descriptors_vjp(*structure, grad, ctx.key)
    by_positions = None
    if ctx.needs_input_grad[0]:
        by_positions = _curvature(torch.ops.nnp.descriptors_vjp, structure, grad, vector, ctx.key)
    return (by_positions, None, None, None, by_vector, None)


def _curvature(
    vjp: Any, structure: list[Tensor], weights: Tensor, direction: Tensor, key: str
) -> Tensor:
    """d/dt of wᵀ dG/dr at r + t v, t = 0."""
    positions, *rest = structure
    length = float(direction.detach().norm())
    if length == 0:
        return torch.zeros_like(positions)
    step = direction * (CURVATURE_STEP / length)

    def at(times: int) -> Tensor:
        gradient: Tensor = vjp(positions + times * step, *rest, weights, key)
        return gradient

    difference = 8 * (at(1) - at(-1)) - (at(2) - at(-2))
    return difference * (length / (12 * CURVATURE_STEP))


def _register(library: Any, name: str, arguments: str, compute: Any, backward: Any) -> None:
    library.define(f"{name}({_STRUCTURE}, {arguments}) -> Tensor")
    library.impl(name, compute, "CompositeExplicitAutograd")
    torch.library.register_autograd(f"nnp::{name}", backward, setup_context=_keep, lib=library)


# Unloading a library takes its operators away: the module holds it for good.
_library: Any = torch.library.Library("nnp", "FRAGMENT")  # type: ignore[no-untyped-call]
_register(_library, "descriptors", "str key", _descriptors, _descriptors_backward)
_register(_library, "descriptors_vjp", "Tensor weights, str key", _vjp, _vjp_backward)
_register(_library, "descriptors_jvp", "Tensor vector, str key", _jvp, _jvp_backward)
