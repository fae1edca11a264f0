"""A CUDA device that is none: tensors that say ``cuda:0`` and are computed on the CPU.

As on a real one, they do not mix with tensors of the CPU, and NumPy cannot see them; stricter than
a real one, indices from the CPU are refused too. What it cannot show: streams, memory, nccl, and
kernels that round differently.
"""

from __future__ import annotations

from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

CUDA = torch.device("cuda", 0)
# They may have operands on both sides.
_ACROSS = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class FakeCudaTensor(torch.Tensor):
    """A tensor of the device; its numbers are ``inside``, on the CPU."""

    @staticmethod
    def __new__(cls, inside):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inside.size(),
            strides=inside.stride(),
            storage_offset=inside.storage_offset(),
            dtype=inside.dtype,
            device="meta",  # to torch itself, which asks CUDA's driver for the current device else
            requires_grad=inside.requires_grad,
        )

    def __init__(self, inside):
        self.inside = inside

    def __repr__(self):
        return f"FakeCudaTensor({self.inside})"

    @property
    def device(self):
        return CUDA

    @classmethod
    def __torch_dispatch__(cls, function, _types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Sees what is made on the device, too."""

    def __torch_dispatch__(self, function, _types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


def _compute(function, args, kwargs):
    """Run an operator on the CPU's tensors, and put what it returns where CUDA would."""
    tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
    there = [x for x in tensors if isinstance(x, FakeCudaTensor)]
    here = [x for x in tensors if not isinstance(x, FakeCudaTensor) and x.dim()]
    if there and here and function not in _ACROSS:
        raise RuntimeError(f"{function}: expected all tensors to be on the same device")
    goal = kwargs.get("device")
    if goal is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    on_device = bool(there) if goal is None else torch.device(goal).type != "cpu"
    known = {id(x.inside): x for x in there}
    args, kwargs = tree_map_only(FakeCudaTensor, lambda x: x.inside, (args, kwargs))
    found = function(*args, **kwargs)
    if not on_device:
        return found

    def outside(x):
        return known[id(x)] if id(x) in known else FakeCudaTensor(x)

    return tree_map_only(torch.Tensor, outside, found)


@contextmanager
def fake_cuda(monkeypatch, count=1):
    """Let torch find CUDA devices, of which the first is the fake."""
    for name, value in (
        ("is_available", True),
        ("device_count", count),
        ("mem_get_info", (64 << 30, 80 << 30)),
        ("is_current_stream_capturing", False),
        ("set_device", None),
        ("_lazy_init", None),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)
    lifting = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(..., device=) passes the mode by else
    try:
        with _Mode():
            yield
    finally:
        torch._C._set_only_lift_cpu_tensors(lifting)
