"""``engine="auto"``: the GPU where it can run, else the CPU, with one warning that says why."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from nnp.engines import DEFAULT_ENGINE, Engine, create_engine, options_of
from nnp.errors import UnavailableError

if TYPE_CHECKING:
    from nnp.potential import Potential

_GPU = "gpu"
# What both engines do; calls of it are repeated on the CPU where the GPU's memory does not suffice.
_SHARED = ("compute", "descriptors", "descriptor_vjp", "descriptor_jvp")
_told: set[str] = set()  # reasons that were given


def automatic(potential: Potential, options: dict[str, Any]) -> Engine:
    """The engine that ``"auto"`` stands for; see `nnp.engines.create_engine`."""
    if not set(options) <= set(options_of(_GPU)):
        return create_engine(potential, DEFAULT_ENGINE, **options)  # refuses what it does not know
    try:
        gpu: Any = create_engine(potential, _GPU, **options)
        gpu.prepare()
    except UnavailableError as error:
        return _instead(potential, options, error)
    return AutomaticEngine(potential, gpu, options)


class AutomaticEngine:
    """The GPU engine until its memory does not suffice, the CPU engine from then on.

    Args:
        potential: what to evaluate.
        gpu: the GPU engine.
        options: of both.
    """

    def __init__(self, potential: Potential, gpu: Any, options: dict[str, Any]) -> None:
        self._potential, self._options = potential, options
        self._engine = gpu

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of a copy in the making
            raise AttributeError(name)
        value = getattr(self._engine, name)
        if name not in _SHARED or self._engine.name != _GPU:
            return value

        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return value(*args, **kwargs)
            except UnavailableError as error:
                self.change_over(error)
                return getattr(self._engine, name)(*args, **kwargs)

        return called

    def change_over(self, reason: UnavailableError) -> None:
        """Use the CPU engine from now on."""
        self._engine = _instead(self._potential, self._options, reason)


def _instead(potential: Potential, options: dict[str, Any], reason: UnavailableError) -> Engine:
    """The CPU engine, and a warning, once in a process.

    Raises:
        UnavailableError: for the original reason, where the CPU engine does not take the options.
    """
    if not set(options) <= set(options_of(DEFAULT_ENGINE)):
        raise reason
    if options.get("dtype") == "single":  # the CPU's float32 is the nearest that is not coarser
        options = options | {"dtype": "float32"}
    engine = create_engine(potential, DEFAULT_ENGINE, **options)
    if str(reason) not in _told:
        _told.add(str(reason))
        warnings.warn(
            f"engine='auto' takes engine={DEFAULT_ENGINE!r}: {reason}", RuntimeWarning, stacklevel=2
        )
    return engine
