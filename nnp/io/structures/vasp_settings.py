"""Settings of VASP's runs that must be equal in all of them, or energies do not compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# Bytes at the head of a file that name them.
_HEAD = 400_000
_TAGS = ("ENCUT", "GGA", "METAGGA", "ISPIN", "IVDW", "LDAU", "LHFCALC")
_IN_OUTCAR = {tag: re.compile(rf"^ *{tag} *= *([^\s;]+)", re.MULTILINE) for tag in _TAGS}
_IN_XML = {tag: re.compile(rf'name="{tag}"> *([^<\s]+)') for tag in _TAGS}
_POTENTIAL = re.compile(r"TITEL *= *(.+)|<c>\s*(PAW\S* .+?)\s*</c>")


def contradictions(paths: Iterable[Path]) -> list[str]:
    """A line for each setting that differs among files of one program.

    Args:
        paths: OUTCAR and vasprun.xml; others are not looked at.
    """
    seen: dict[str, dict[str, list[Path]]] = {}
    for path in paths:
        for tag, value in _settings(path).items():
            seen.setdefault(tag, {}).setdefault(value, []).append(path)
    return [_line(tag, values) for tag, values in seen.items() if len(values) > 1]


def _line(tag: str, values: dict[str, list[Path]]) -> str:
    said = ", ".join(
        f"{value} in {len(own)} ({own[0]}{', …' if len(own) > 1 else ''})"
        for value, own in sorted(values.items(), key=lambda item: -len(item[1]))
    )
    return f"{tag} differs among the runs of VASP: {said}: their energies do not compare"


def _settings(path: Path) -> dict[str, str]:
    is_xml = path.name.startswith("vasprun") and path.suffix == ".xml"
    if not is_xml and "OUTCAR" not in path.name:
        return {}
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode(errors="replace")
    except OSError:
        return {}
    found = {}
    for tag, pattern in (_IN_XML if is_xml else _IN_OUTCAR).items():
        if match := pattern.search(head):
            found[tag] = _plain(match.group(1))
    for match in _POTENTIAL.finditer(head):
        words = (match.group(1) or match.group(2)).split()
        if len(words) > 1:  # "PAW_PBE Si 05Jan2001": one potential per element
            found[f"POTCAR of {words[1].partition('_')[0]}"] = " ".join(words[:3])
    return found


def _plain(value: str) -> str:
    """A number without its zeros."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value.strip(".").upper()[:8]
