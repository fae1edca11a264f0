"""Numbers that callers pass, checked by kind and range; numbers and lists in messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from nnp.errors import OptionError


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "structure"), counted(2, "structure")
    ('1 structure', '2 structures')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["energy"]), listed(["energy", "forces"]), listed(["energy", "forces", "stress"])
    ('energy', 'energy and forces', 'energy, forces and stress')
    """
    return " and ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)


def require_whole(name: str, value: Any, least: int, otherwise: str = "") -> int:
    """A whole number from ``least`` on.

    Args:
        name: of the argument, for the message.
        value: what was given; NumPy's integers count, True and 2.0 do not.
        least: smallest that is allowed.
        otherwise: what else is allowed, for the message (", or None for …").

    Raises:
        OptionError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise OptionError(f"{name}={value!r}: a whole number from {least}{otherwise}")
    return int(value)


def require_number(name: str, value: Any, least: float, otherwise: str = "") -> float:
    """A finite number, not below ``least`` (-inf: any).

    Args:
        name: of the argument, for the message; with its unit where it has one.
        value: what was given.
        least: smallest that is allowed.
        otherwise: what else is allowed, for the message.

    Raises:
        OptionError: it is something else.
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < least:
        wanted = "a finite number" if least == -math.inf else f"a number from {least:g}"
        raise OptionError(f"{name}={value!r}: {wanted}{otherwise}")
    return float(value)
