"""What other packages add by entry points: found by name, imported, checked."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from nnp.errors import UnavailableError

T = TypeVar("T")


def offered(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group, by name."""
    return {point.name: point for point in entry_points(group=group)}


def load_class(point: EntryPoint, base: type[T], what: str, instead: str = "") -> type[T]:
    """The class that an entry point names.

    Args:
        point: of `offered`.
        base: the class that it must derive from.
        what: it is, for the message (``"the family 'Toy'"``).
        instead: what else can be done where it cannot be imported (", or …").

    Raises:
        UnavailableError: it cannot be imported, or is not a subclass.
    """
    package = point.dist.name if point.dist is not None else point.module
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise UnavailableError(
            f"{what} of the package {package} cannot be imported ({error}): reinstall "
            f"{package}{instead}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, base)):
        public = ".".join([*base.__module__.split(".")[:2], base.__name__])
        raise UnavailableError(
            f"{what} of the package {package}: {point.value} is not a subclass of {public}"
        )
    return found
