"""Dataclasses from tables of plain values (TOML): unknown keys and wrong types are errors."""

from __future__ import annotations

import dataclasses
import difflib
import types
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from nnp.errors import OptionError

_T = TypeVar("_T")


def from_table(cls: type[_T], table: Any, where: str) -> _T:
    """Build a dataclass, dataclasses inside it included.

    Args:
        cls: a dataclass whose fields are numbers, text, enums, tuples, dicts or dataclasses.
        table: keys and values.
        where: name of the table, for messages; "" for the file itself.

    Raises:
        OptionError: an unknown key (names the nearest known), a value of another type, or one
            that the dataclass refuses.
    """
    if not isinstance(table, dict):
        raise OptionError(f"[{where}] must be a table, got {table!r}")
    hints = get_type_hints(cls)
    # from_ is from in the file, which is a word of Python
    known = [f for f in dataclasses.fields(cls) if f.init]  # type: ignore[arg-type]
    fields = {f.name.rstrip("_"): f for f in known}
    for key in table:
        if key not in fields:
            raise OptionError(f"{_path(where, key)} is unknown: {_nearest(key, list(fields))}")
    required = [n for n, f in fields.items() if n not in table and _is_required(f)]
    if required:
        raise OptionError(f"{_path(where, required[0])} is missing: it has no default")
    names = {key: fields[key].name for key in table}
    values = {names[k]: _value(hints[names[k]], v, _path(where, k)) for k, v in table.items()}
    try:
        return cls(**values)
    except OptionError as error:
        raise OptionError(f"[{where}]: {error}" if where else str(error)) from None


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    allowed = f"allowed are {', '.join(known)}"
    return f"did you mean {close[0]!r}? ({allowed})" if close else allowed


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        inner = [a for a in get_args(hint) if a is not type(None)]
        if len(inner) > 1:
            return from_table(_named_by_family(inner, value, where), value, where)
        return None if value is None else _value(inner[0], value, where)
    if origin is tuple:
        return _tuple(get_args(hint), value, where)
    if origin is dict:
        if not isinstance(value, dict):
            raise OptionError(f"{where} must be a table, got {value!r}")
        return {k: _value(get_args(hint)[1], v, _path(where, k)) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_table(hint, value, where)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint, value, where)
    return _plain(hint, value, where)


def _named_by_family(classes: list[Any], table: Any, where: str) -> Any:
    """The class whose default of ``family`` the table names; the first one's where it is silent."""
    known = {cls.family: cls for cls in classes}
    name = table.get("family", classes[0].family) if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(name, str):
        return classes[0]  # from_table says what is wrong
    if name not in known:
        raise OptionError(f"{_path(where, 'family')} = {name!r}: {_nearest(name, list(known))}")
    return known[name]


def _tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        value = [value]  # one file, one number: no brackets needed
    if not isinstance(value, list | tuple):
        raise OptionError(f"{where} must be a list, got {value!r}")
    if arguments[-1] is Ellipsis:
        return tuple(_value(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if len(value) != len(arguments):
        raise OptionError(f"{where} must have {len(arguments)} entries, got {value!r}")
    return tuple(_value(a, v, where) for a, v in zip(arguments, value, strict=True))


def _enum(hint: type[Enum], value: Any, where: str) -> Enum:
    try:
        return hint(value)
    except ValueError:
        allowed = ", ".join(repr(member.value) for member in hint)
        raise OptionError(f"{where} = {value!r}: allowed are {allowed}") from None


def _plain(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
        raise OptionError(f"{where} = {value!r} must be {names.get(hint, hint)}")
    return value
