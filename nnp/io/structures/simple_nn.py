"""SIMPLE-NN's list of calculations, ``structure_list`` (``str_list`` before): groups and files.

    [ bulk ]
    runs/md/OUTCAR 100:2000:20
    [ surface : 3.0 ]
    runs/slab{1..10}/OUTCAR :

A group has a name and a weight; a file has a slice of its structures, all without one. What
SIMPLE-NN makes of these, its features, are pickles: reading one runs whatever it holds, so they
are refused, and nothing is in them that the calculations lack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from nnp.errors import FileFormatError

_NAMES = ("structure_list", "str_list")
_GROUP = re.compile(r"\[\s*(?P<name>[^\]:]*?)\s*(?::\s*(?P<weight>[^\]]*?)\s*)?\]$")
_FILE = re.compile(r"(?P<path>\S+)(?:\s+(?P<slice>-?\d*(?::-?\d*){0,2}))?$")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)$")


@dataclass(frozen=True)
class Listed:
    """One file of a list.

    Attributes:
        path: of the calculation.
        index: which of its structures, as `nnp.io.structures.read` has it.
        group: its name.
        weight: of its group.
    """

    path: Path
    index: str
    group: str
    weight: float


def is_list(path: str | Path) -> bool:
    """Whether a file is such a list, by its name and first line."""
    path = Path(path)
    if not path.name.startswith(_NAMES) or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        first = next((line.strip() for line in file if line.strip()), "")
    return _GROUP.match(first) is not None


def read_list(path: str | Path) -> list[Listed]:
    """The files of a list; paths are relative to it, or stand as they are.

    Raises:
        FileFormatError: a line that is neither group nor file, with its number; or no file at all.
    """
    path = Path(path)
    found: list[Listed] = []
    group, weight = "", 1.0
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = text.split("#")[0].strip()
        if not line:
            continue
        where = f"{path}, line {number}"
        if line.startswith("["):
            group, weight = _group(line, where)
            continue
        match = _FILE.match(line)
        if match is None:
            raise FileFormatError(
                f"{where}: {line!r}: a file and a slice are expected, as runs/OUTCAR 100:2000:20"
            )
        index = match["slice"] or ":"
        found += [Listed(_there(p, path), index, group, weight) for p in expanded(match["path"])]
    if not found:
        raise FileFormatError(f"{path} names no file")
    return found


def _group(line: str, where: str) -> tuple[str, float]:
    match = _GROUP.match(line)
    try:
        if match is not None:
            return match["name"], float(match["weight"] or 1.0)
    except ValueError:
        pass
    raise FileFormatError(f"{where}: {line!r}: a group is expected, as [ name ] or [ name : 3.0 ]")


def _there(name: str, beside: Path) -> Path:
    own = beside.parent / name
    return own if own.exists() or not Path(name).exists() else Path(name)


def expanded(text: str) -> Iterator[str]:
    """Braces as the shell has them: lists and ranges.

    >>> list(expanded("run{1..3}/OUTCAR_{a,b}"))[:3]
    ['run1/OUTCAR_a', 'run1/OUTCAR_b', 'run2/OUTCAR_a']
    """
    parts = _BRACES.split(text)
    choices = [[part] if k % 2 == 0 else _choices(part) for k, part in enumerate(parts)]
    for chosen in product(*choices):
        yield "".join(chosen)


def _choices(inside: str) -> list[str]:
    match = _RANGE.match(inside)
    if match is None:
        return inside.split(",") if "," in inside else [f"{{{inside}}}"]
    low, high = int(match[1]), int(match[2])
    step = 1 if high >= low else -1
    return [str(n) for n in range(low, high + step, step)]
