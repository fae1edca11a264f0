"""Memory of compiled code that ends with its Python owner."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, cast


def release_with(
    owner: object, release: Callable[..., Any], *arguments: Any
) -> weakref.finalize[..., Any]:
    """Call ``release(*arguments)`` when the owner is collected or the result is called.

    Not at the interpreter's exit: another thread may still be inside, and the end of the process
    frees the memory anyway.
    """
    finalizer = weakref.finalize(owner, release, *arguments)
    cast(Any, finalizer).atexit = False  # a property, which mypy's releases see differently
    return finalizer
