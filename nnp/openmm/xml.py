"""OpenMM's XML from strangers: what would execute code is refused before OpenMM reads it.

A PythonForce travels as a pickle, TorchForce as a program, PlumedForce may load a library: OpenMM
runs them when it reads or evaluates the file. What a file may hold is a list, not what it may not.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openmm

from nnp.errors import FileFormatError
from nnp.io.archive import read_bytes

# Of OpenMM itself; the other classes of its Python module are data.
_EXECUTES = ("PythonForce",)
_OURS = ("NNPForce",)
# Anywhere in the text: the two parsers that see it may disagree about comments and the like.
_SUSPICIOUS = re.compile(r"PythonForce|TorchForce|PlumedForce|<!DOCTYPE|<!ENTITY")


def read_xml(path: str | Path, wanted: type, trust: bool = False) -> Any:
    """The object in a file that `openmm.XmlSerializer` wrote.

    Args:
        path: the file.
        wanted: its class, such as `openmm.System`.
        trust: whether the file may execute code.

    Raises:
        FileFormatError: it cannot be read, holds something else, or would execute code.
    """
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path} holds no OpenMM {wanted.__name__}: {error}") from None
    return from_xml(text, str(path), wanted, trust)


def from_xml(text: str, name: str, wanted: type, trust: bool = False) -> Any:
    """The object that `openmm.XmlSerializer` wrote as text.

    Args:
        text: the XML.
        name: where it is from, for messages.
        wanted: the object's class.
        trust: whether it may execute code.

    Raises:
        FileFormatError: it holds something else, or would execute code.
    """
    if not trust:
        check_xml(text, name, wanted.__name__)
    try:
        found = openmm.XmlSerializer.deserialize(text)
    except Exception as error:  # noqa: BLE001  SWIG has no class of errors of its own
        raise FileFormatError(f"{name} holds no OpenMM {wanted.__name__}: {error}") from None
    if not isinstance(found, wanted):
        raise FileFormatError(
            f"{name} holds a {type(found).__name__}: an OpenMM {wanted.__name__} is expected"
        )
    return found


def check_xml(text: str, name: str, wanted: str = "object") -> None:
    """Refuse XML that is broken or may execute code.

    Raises:
        FileFormatError: it is or may.
    """
    if found := _SUSPICIOUS.search(text):
        raise _refusal(name, found[0])
    if "\0" in text:
        raise FileFormatError(f"{name} holds no OpenMM {wanted}: it has bytes of zero")
    try:
        root = ET.fromstring(text)  # noqa: S314  without entities, which are refused above
    except (ET.ParseError, ValueError) as error:
        raise FileFormatError(f"{name} holds no OpenMM {wanted}: it is not XML: {error}") from None
    for node in root.iter():
        kind = node.get("type", "")
        if kind and not kind.lstrip("-").isdigit() and kind not in _harmless():
            raise _refusal(name, kind)


@cache
def _harmless() -> frozenset[str]:
    """Names of what OpenMM's own library serialises, and of our force."""
    classes = {key for key, value in vars(openmm).items() if isinstance(value, type)}
    return frozenset((classes | set(_OURS)) - set(_EXECUTES))


def _refusal(name: str, kind: str) -> FileFormatError:
    return FileFormatError(
        f"{name} holds {kind}, which may execute code from the file: pass trust=True (--trust) "
        "if you trust its author"
    )
