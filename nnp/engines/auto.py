"""``engine="auto"``: the GPU where it can run, else the CPU, with one warning that says why."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnp.engines.contract import Capabilities, Engine
from nnp.engines.flatten import require_compiled
from nnp.engines.registry import DEFAULT_ENGINE, create_engine, engine_for, options_of
from nnp.errors import OptionError, UnavailableError
from nnp.evaluation import ArrayEvaluation, Evaluation
from nnp.potential import Potential
from nnp.structure import Structure

_GPU = "gpu"
_told: set[str] = set()  # reasons that were given

T = TypeVar("T")


def automatic(potential: Potential, **options: Any) -> Engine:
    """The engine that ``"auto"`` stands for; see `nnp.engines.create_engine`."""
    try:
        require_compiled(potential)
    except OptionError as error:
        return _instead(potential, options, UnavailableError(str(error)))
    if not set(options) <= set(options_of(_GPU)):
        return create_engine(potential, DEFAULT_ENGINE, **options)  # refuses what it does not know
    try:
        gpu = create_engine(potential, _GPU, **options)
        gpu.prepare()
    except UnavailableError as error:
        return _instead(potential, options, error)
    return AutomaticEngine(potential, gpu, options)


class AutomaticEngine(Engine):
    """The GPU engine until its memory does not suffice, the CPU engine from then on.

    Calls with structures are repeated on the CPU; arrays of the GPU cannot be, so their callers
    `change_over` themselves.

    Args:
        potential: what to evaluate.
        gpu: the GPU engine.
        options: of both.

    Attributes:
        chosen: the engine in use.
    """

    def __init__(self, potential: Potential, gpu: Engine, options: dict[str, Any]) -> None:
        self.potential, self._options = potential, options
        self.chosen = gpu

    def change_over(self, reason: UnavailableError) -> bool:
        """See `Engine.change_over`."""
        if self.chosen.name == _GPU:
            self.chosen = _instead(self.potential, self._options, reason)
        return True

    # ---- structures: here or there -------------------------------------------------------------

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """See `Engine.compute`."""
        return self._either(lambda e: e.compute(structure, forces, stress, virials=virials))

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `Engine.descriptors`."""
        return self._either(lambda e: e.descriptors(structure, scaled))

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """See `Engine.descriptor_vjp`."""
        return self._either(lambda e: e.descriptor_vjp(structure, dl_dg, strain))

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """See `Engine.descriptor_jvp`."""
        return self._either(lambda e: e.descriptor_jvp(structure, displacement, strain))

    def _either(self, call: Callable[[Engine], T]) -> T:
        try:
            return call(self.chosen)
        except UnavailableError as error:
            if self.chosen.name != _GPU:
                raise
            self.change_over(error)
            return call(self.chosen)

    # ---- the rest is the chosen engine's -------------------------------------------------------

    @property
    def name(self) -> str:  # type: ignore[override]  # of the class elsewhere
        """Of the engine in use."""
        return self.chosen.name

    @property
    def dtype(self) -> str:  # type: ignore[override]
        """Of the engine in use."""
        return self.chosen.dtype

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """Of the engine in use."""
        return self.chosen.capabilities

    def takes(self, array: object) -> bool:
        """See `Engine.takes`."""
        return self.chosen.takes(array)

    def compute_arrays(self, *args: Any, **kwargs: Any) -> ArrayEvaluation:
        """See `Engine.compute_arrays`."""
        return self.chosen.compute_arrays(*args, **kwargs)

    def descriptors_arrays(self, *args: Any, **kwargs: Any) -> Any:
        """See `Engine.descriptors_arrays`."""
        return self.chosen.descriptors_arrays(*args, **kwargs)

    def descriptor_vjp_arrays(self, *args: Any, **kwargs: Any) -> tuple[Any, Any | None]:
        """See `Engine.descriptor_vjp_arrays`."""
        return self.chosen.descriptor_vjp_arrays(*args, **kwargs)

    def descriptor_jvp_arrays(self, *args: Any, **kwargs: Any) -> Any:
        """See `Engine.descriptor_jvp_arrays`."""
        return self.chosen.descriptor_jvp_arrays(*args, **kwargs)

    def prepare(self) -> None:
        """See `Engine.prepare`."""
        self.chosen.prepare()

    @property
    def target(self) -> str:
        """See `Engine.target`."""
        return self.chosen.target

    @property
    def threads(self) -> int | None:
        """See `Engine.threads`."""
        return self.chosen.threads

    @property
    def statistics(self) -> Mapping[str, float]:
        """See `Engine.statistics`."""
        return self.chosen.statistics


def _instead(potential: Potential, options: dict[str, Any], reason: UnavailableError) -> Engine:
    """The CPU's engine, and a warning, once in a process.

    Raises:
        UnavailableError: for the original reason, where that engine does not take the options.
    """
    name = engine_for(potential)
    if not set(options) <= set(options_of(name)):
        raise reason
    if options.get("dtype") == "single":  # the CPU's float32 is the nearest that is not coarser
        options = options | {"dtype": "float32"}
    engine = create_engine(potential, name, **options)
    if str(reason) not in _told:
        _told.add(str(reason))
        warnings.warn(
            f"engine='auto' takes engine={name!r}: {reason}", RuntimeWarning, stacklevel=2
        )
    return engine
