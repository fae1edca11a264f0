"""The torch operator ``nnp::energy_forces``: engines callable from eager and scripted torch.

    energy, forces = torch.ops.nnp.energy_forces(
        positions, cell, pbc, atomic_numbers, model, key, engine, options)

Importing this module registers it; a saved module that uses it loads only after that. All in Å
and eV. The model travels as a tensor, so that a saved module is complete; ``key`` names a warm
engine, so that the model is read once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np

from nnp.distribution import install
from nnp.engines import Engine, create_engine
from nnp.errors import OptionError, UnavailableError
from nnp.evaluation import ArrayEvaluation, Evaluation
from nnp.io.model import from_bytes, to_bytes
from nnp.potential import Potential
from nnp.structure import Structure

try:
    import torch
except ImportError as error:
    raise UnavailableError(
        f"nnp.ops needs torch, which is not installed: {install('torch')}"
    ) from error
from torch import Tensor

SCHEMA = (
    "energy_forces(Tensor positions, Tensor cell, Tensor pbc, Tensor atomic_numbers, "
    "Tensor model, str key, str engine, str options) -> (Tensor energy, Tensor forces)"
)
_WARM_ENGINES = 32
# What the GPU engine takes as it is.
_DEVICE_TYPES = (torch.float32, torch.float64)


class Listener(Protocol):
    """Hears of every evaluation under one key."""

    def record(self, evaluation: Evaluation | ArrayEvaluation) -> None:
        """An evaluation went well; `ArrayEvaluation`: its arrays are tensors of a GPU."""
        ...

    def record_error(self, error: BaseException) -> None:
        """An evaluation raised."""
        ...


_autograd_thread = ThreadPoolExecutor(1, "nnp-autograd")
_engines: OrderedDict[tuple[str, str, str], Engine] = OrderedDict()
_listeners: WeakValueDictionary[str, Listener] = WeakValueDictionary()


def operands(potential: Potential, **options: Any) -> tuple[Tensor, str, str]:
    """The operator's ``model``, ``key`` and ``options`` for a potential.

    Args:
        potential: what to evaluate.
        **options: of the engine, such as ``dtype`` and ``threads``.

    Returns:
        A (bytes,) uint8 tensor, a key that no other call returns, and a JSON text.
    """
    data = to_bytes(potential)
    key = f"{hashlib.sha256(data).hexdigest()}-{uuid.uuid4().hex}"
    return torch.frombuffer(bytearray(data), dtype=torch.uint8), key, json.dumps(options)


def listen(key: str, listener: Listener) -> None:
    """Tell a listener of every evaluation under a key, as long as someone holds it."""
    _listeners[key] = listener


def _warm_engine(model: Tensor, key: str, engine: str, options: str) -> Engine:
    """The engine of a key, made at its first call; the least used are dropped."""
    name = (key, engine, options)
    if name not in _engines:
        potential = from_bytes(model.cpu().numpy().tobytes(), "the operator's model")
        _engines[name] = create_engine(potential, engine, **json.loads(options))
        while len(_engines) > _WARM_ENGINES:
            _engines.popitem(last=False)
    _engines.move_to_end(name)
    return _engines[name]


def _compute(engine: Engine, structure: Structure) -> Evaluation:
    """Evaluate with autograd.

    Inside an operator torch has switched autograd off, for the thread. Engines that would find zero
    forces run in another one.
    """
    if not engine.capabilities.autograd:
        return engine.compute(structure, True, False)
    return _autograd_thread.submit(engine.compute, structure, True, False).result()


def _energy_forces(
    positions: Tensor,
    cell: Tensor,
    pbc: Tensor,
    atomic_numbers: Tensor,
    model: Tensor,
    key: str,
    engine: str,
    options: str,
) -> tuple[Tensor, Tensor]:
    """Evaluate on the host.

    Args:
        positions: (n, 3), Å, any float type and device.
        cell: (3, 3), rows are cell vectors, Å.
        pbc: (3,) bool.
        atomic_numbers: (n,) int64.
        model: (bytes,) uint8, the content of a model file.
        key: names the warm engine; differs between models.
        engine: name of the engine.
        options: of the engine, JSON.

    Returns:
        () energy, eV, float64, and (n, 3) forces, eV/Å, in the type of the positions.
    """
    listener = _listeners.get(key)
    try:
        structure = Structure(
            *(t.detach().cpu().numpy() for t in (positions, atomic_numbers, cell, pbc))
        )
        found = _compute(_warm_engine(model, key, engine, options), structure)
    except BaseException as error:
        _tell_error(listener, error)
        raise
    if listener is not None:
        listener.record(found)
    forces = torch.from_numpy(np.asarray(found.forces)).to(positions)
    return torch.tensor(found.energy, dtype=torch.float64, device=positions.device), forces


def _energy_forces_cuda(
    positions: Tensor,
    cell: Tensor,
    pbc: Tensor,
    atomic_numbers: Tensor,
    model: Tensor,
    key: str,
    engine: str,
    options: str,
) -> tuple[Tensor, Tensor]:
    """The same for tensors of a GPU, which stay there where the engine is one that runs there.

    Other engines are asked on the host, as `_energy_forces` does. A listener gets an
    `ArrayEvaluation`, whose arrays are tensors of the GPU.
    """
    listener = _listeners.get(key)
    try:
        warm = _warm_engine(model, key, engine, options)
        if not warm.takes(positions):
            return _energy_forces(positions, cell, pbc, atomic_numbers, model, key, engine, options)
        real = positions.dtype if positions.dtype in _DEVICE_TYPES else torch.float64
        taken = positions.detach().to(real).contiguous()
        numbers, box, periodic = (t.detach().contiguous() for t in (atomic_numbers, cell, pbc))
        found = warm.compute_arrays(taken, numbers, box, periodic)
    except UnavailableError as error:
        failed = _engines.get((key, engine, options))
        if failed is None or not failed.change_over(error):  # engine="auto" does
            _tell_error(listener, error)
            raise
        return _energy_forces(positions, cell, pbc, atomic_numbers, model, key, engine, options)
    except BaseException as error:
        _tell_error(listener, error)
        raise
    if listener is not None:
        listener.record(found)
    return found.energy, found.forces.to(positions.dtype)


def _tell_error(listener: Listener | None, error: BaseException) -> None:
    if listener is not None:
        listener.record_error(error)


def _shapes(positions: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return positions.new_empty((), dtype=torch.float64), torch.empty_like(positions)


def _keep_forces(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.set_materialize_grads(False)
    if inputs[1].requires_grad:
        raise OptionError(
            "nnp::energy_forces has no derivative with respect to the cell: "
            "use Potential.evaluate(stress=True)"
        )
    ctx.save_for_backward(output[1])


def _backward(ctx: Any, grad_energy: Tensor | None, grad_forces: Tensor | None) -> tuple[Any, ...]:
    """dE/dr = −F."""
    if grad_forces is not None:
        raise OptionError(
            "nnp::energy_forces has no second derivatives: its forces cannot be differentiated"
        )
    (forces,) = ctx.saved_tensors
    grad = None if grad_energy is None else (-grad_energy * forces).to(forces.dtype)
    return (grad, *[None] * 7)


# Unloading a library takes its operators away: the module holds it for good.
_library: Any = torch.library.Library("nnp", "DEF")  # type: ignore[no-untyped-call]
_library.define(SCHEMA)
_library.impl("energy_forces", _energy_forces, "CompositeExplicitAutograd")
_library.impl("energy_forces", _energy_forces_cuda, "CUDA")
torch.library.register_fake("nnp::energy_forces", _shapes, lib=_library)
torch.library.register_autograd(
    "nnp::energy_forces", _backward, setup_context=_keep_forces, lib=_library
)
