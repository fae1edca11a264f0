"""Dataclasses from tables of plain values (TOML): unknown keys and wrong types are errors."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from nnp.errors import OptionError

_T = TypeVar("_T")


def from_table(cls: type[_T], table: Any, where: str, whole: type | None = None) -> _T:
    """Build a dataclass, dataclasses inside it included.

    Args:
        cls: a dataclass whose fields are numbers, text, enums, tuples, dicts or dataclasses.
        table: keys and values.
        where: name of the table, for messages; "" for the file itself.
        whole: the dataclass of the file, whose other tables may have an unknown key; ``cls`` if
            None.

    Raises:
        OptionError: an unknown key (names the nearest known), a value of another type, or one
            that the dataclass refuses.
    """
    if not isinstance(table, dict):
        raise OptionError(f"[{where}] must be a table, got {table!r}")
    hints, whole = get_type_hints(cls), whole or cls
    # from_ is from in the file, which is a word of Python
    known = [f for f in dataclasses.fields(cls) if f.init]  # type: ignore[arg-type]
    fields = {f.name.rstrip("_"): f for f in known}
    for key in table:
        if key not in fields:
            raise OptionError(f"{_path(where, key)} is unknown: {_meant(key, list(fields), whole)}")
    required = [n for n, f in fields.items() if n not in table and _is_required(f)]
    if required:
        raise OptionError(f"{_path(where, required[0])} is missing: it has no default")
    names = {key: fields[key].name for key in table}
    values = {
        names[k]: _value(hints[names[k]], v, _path(where, k), whole) for k, v in table.items()
    }
    try:
        return cls(**values)
    except OptionError as error:
        raise OptionError(f"[{where}]: {error}" if where else str(error)) from None


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _meant(key: str, known: list[str], whole: type) -> str:
    """What to write instead of an unknown key: the same one of another table, or the nearest."""
    elsewhere = [path for path in _keys(whole) if path.rpartition(".")[2] == key.lower()]
    if elsewhere and key.lower() not in known:
        return f"did you mean {' or '.join(elsewhere)}? (allowed here are {', '.join(known)})"
    return _nearest(key, known)


def _keys(cls: type, where: str = "") -> Iterator[str]:
    """Every key of a dataclass and of those in it that are tables of their own."""
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        path = _path(where, field.name.rstrip("_"))
        yield path
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _keys(hints[field.name], path)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    allowed = f"allowed are {', '.join(known)}"
    return f"did you mean {close[0]!r}? ({allowed})" if close else allowed


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, where: str, whole: type) -> Any:
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        inner = [a for a in get_args(hint) if a is not type(None)]
        if len(inner) > 1:
            return from_table(_named_by_family(inner, value, where), value, where, whole)
        return None if value is None else _value(inner[0], value, where, whole)
    if origin is tuple:
        return _tuple(get_args(hint), value, where, whole)
    if origin is dict:
        if not isinstance(value, dict):
            raise OptionError(f"{where} must be a table, got {value!r}")
        return {k: _value(get_args(hint)[1], v, _path(where, k), whole) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_table(hint, value, where, whole)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint, value, where)
    return _plain(hint, value, where)


def _named_by_family(classes: list[Any], table: Any, where: str) -> Any:
    """The class whose default of ``family`` the table names; the first one's where it is silent."""
    known = {cls.family: cls for cls in classes}
    name = table.get("family", classes[0].family) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return classes[0]  # from_table says what is wrong
    if not isinstance(name, str):
        allowed = ", ".join(repr(own) for own in known)
        raise OptionError(
            f"{_path(where, 'family')} = {name!r} must be text: allowed are {allowed}"
        )
    if name not in known:
        raise OptionError(f"{_path(where, 'family')} = {name!r}: {_nearest(name, list(known))}")
    return known[name]


def _tuple(arguments: tuple[Any, ...], value: Any, where: str, whole: type) -> tuple[Any, ...]:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        value = [value]  # one file, one number: no brackets needed
    if not isinstance(value, list | tuple):
        raise OptionError(f"{where} must be a list, got {value!r}")
    if arguments[-1] is Ellipsis:
        return tuple(_value(arguments[0], v, f"{where}[{i}]", whole) for i, v in enumerate(value))
    if len(value) != len(arguments):
        raise OptionError(f"{where} must have {len(arguments)} entries, got {value!r}")
    return tuple(_value(a, v, where, whole) for a, v in zip(arguments, value, strict=True))


def _enum(hint: type[Enum], value: Any, where: str) -> Enum:
    try:
        return hint(value)
    except ValueError:
        allowed = ", ".join(repr(member.value) for member in hint)
        raise OptionError(f"{where} = {value!r}: allowed are {allowed}") from None


def _plain(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value, where)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
        raise OptionError(f"{where} = {value!r} must be {names.get(hint, hint)}")
    return value


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        shown = str(value)
        shown = shown if len(shown) <= 20 else f"{shown[:20]}…"
        raise OptionError(f"{where} = {shown} must be a finite number")
    return number
