"""Engines by name: our own, and those of other packages by the entry point ``nnp.engines``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nnp import registry
from nnp.committee import Committee
from nnp.engines.contract import Engine
from nnp.errors import OptionError
from nnp.outside import load_class, offered
from nnp.potential import Potential

GROUP = "nnp.engines"
DEFAULT_ENGINE = "cpu"
# Chooses among the others, so it has no constructor whose options could be listed.
AUTO = "auto"

Constructor = Callable[..., Engine]
_own: dict[str, Callable[[], Constructor]] = {}


def register(name: str) -> Callable[[Callable[[], Constructor]], Callable[[], Constructor]]:
    """Decorate a function that imports an engine, and returns its constructor."""

    def add(load: Callable[[], Constructor]) -> Callable[[], Constructor]:
        _own[name] = load
        return load

    return add


def engine_names() -> list[str]:
    """All engines that can be named, ``auto`` apart; own names stand for our own engines."""
    return [name for name in (*_own, *sorted(set(offered(GROUP)) - set(_own))) if name != AUTO]


def create_engine(potential: Potential, name: str = DEFAULT_ENGINE, **options: Any) -> Engine:
    """A new engine for a potential; of a committee, for its mean.

    Args:
        potential: what to evaluate.
        name: of `engine_names`; or ``"auto"``: ``gpu`` where it can run (a driver, a GPU, a
            CuPy that fits both) and takes the options, else what `engine_for` says, with one
            warning in a process that says why. It changes over too when the GPU's memory runs out.
        options: of the engine's constructor.

    Raises:
        OptionError: no engine has this name, or it does not take an option.
        UnavailableError: the engine cannot run here; says what to install.
    """
    if potential.baseline:
        return _on_baseline(potential, create_engine, name, options)
    if potential.terms and not _adds_terms(name):
        return _with_terms(potential, create_engine, name, options)
    constructor = _constructor(name)
    if name != AUTO:
        allowed = options_of(name)
        for option in options:
            if option not in allowed:
                raise OptionError(
                    f"engine={name!r} has no option {option!r}: it takes "
                    f"{', '.join(allowed) or 'none'}"
                )
    return constructor(potential, **options)


def make_engine(potential: Potential, name: str = DEFAULT_ENGINE, **options: Any) -> Engine:
    """The same, but a committee's asks every member and returns a `CommitteeEvaluation`."""
    if not isinstance(potential, Committee):
        return create_engine(potential, name, **options)
    if potential.baseline:
        return _on_baseline(potential, make_engine, name, options)
    if potential.terms and not _adds_terms(name):
        return _with_terms(potential, make_engine, name, options)
    from nnp.engines.committee import CommitteeEngine

    members = [
        make_engine(replace(member, terms=potential.terms), name, **options)
        for member in potential.members
    ]
    return CommitteeEngine(potential, members, create_engine(potential, name, **options))


registry.make_engine.provide(make_engine)


def engine_for(potential: Potential) -> str:
    """`DEFAULT_ENGINE`, or ``reference`` where compiled engines lack functions of the potential."""
    return DEFAULT_ENGINE if potential.compiled else "reference"


def options_of(name: str) -> list[str]:
    """The options that an engine's constructor takes."""
    parameters = inspect.signature(_constructor(name)).parameters
    return [parameter for parameter in parameters if parameter != "potential"]


def _on_baseline(
    potential: Potential, make: Callable[..., Engine], name: str, options: dict[str, Any]
) -> Engine:
    """The engine of the fitted part, and what is added to it."""
    from nnp.engines.with_baseline import EngineWithBaseline

    fitted = make(replace(potential, baseline=()), name, **options)
    return EngineWithBaseline(potential, fitted)


def _adds_terms(name: str) -> bool:
    """Whether the engine of this name takes a potential with terms; ``auto`` asks again."""
    constructor = _constructor(name)
    if isinstance(constructor, type) and issubclass(constructor, Engine):
        return constructor.capabilities.terms
    return name == AUTO


def _with_terms(
    potential: Potential, make: Callable[..., Engine], name: str, options: dict[str, Any]
) -> Engine:
    """The engine of the networks, and the terms."""
    from nnp.engines.with_terms import EngineWithTerms

    networks = make(replace(potential, terms=()), name, **options)
    return EngineWithTerms(potential, networks)


def _constructor(name: str) -> Constructor:
    if name in _own:
        return _own[name]()
    outside = offered(GROUP)
    if name not in outside:
        raise OptionError(
            f"engine={name!r} is unknown: allowed are {', '.join([AUTO, *engine_names()])}"
        )
    what, instead = f"engine={name!r}", ", or use another engine"
    return load_class(outside[name], Engine, what, instead)  # type: ignore[type-abstract]
