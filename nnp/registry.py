"""What higher layers give the potential, which imports none of them: engines and its file format.

A `Door` is a function that a low layer calls and a higher one provides: `nnp.potential` evaluates
through ``make_engine`` and saves through ``write_model``, `nnp.baseline` makes calculators through
``teacher``. ``import nnp`` provides them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from nnp.evaluation import Evaluator

P = ParamSpec("P")
R = TypeVar("R")


class Door(Generic[P, R]):
    """A function with one provider.

    Args:
        home: the package that provides it, for the message.
    """

    def __init__(self, home: str) -> None:
        self._home = home
        self._provider: Callable[P, R] | None = None

    def provide(self, function: Callable[P, R]) -> None:
        """Give the function."""
        self._provider = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it.

        Raises:
            RuntimeError: its home was never imported.
        """
        if self._provider is None:
            raise RuntimeError(f"{self._home} is not imported")
        return self._provider(*args, **kwargs)


# (potential, name of the engine, **options) → a new engine
make_engine: Door[..., Evaluator] = Door("nnp.engines")
# (potential, path, force)
write_model: Door[..., None] = Door("nnp.io")
# Of `nnp.teachers.by_name`, which `nnp` imports when one of them is first called: it brings ASE.
is_harmless: Door[[str], bool] = Door("nnp.teachers")
# (name, options, argument) → a function that makes calculators
teacher: Door[..., Callable[[], Any]] = Door("nnp.teachers")
