"""Which keys of a file could be labels, where nothing says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnp.io.structures.labels import held, is_predicted

# By label: names, and what such a name must not say besides.
_NAMES = {
    "energy": re.compile(r"energ|^e_?(tot|total|dft|ref|0)?$|toten|^u$", re.IGNORECASE),
    "forces": re.compile(r"force|^f$|^f_?(dft|ref)$", re.IGNORECASE),
    "stress": re.compile(r"stress", re.IGNORECASE),
    "virial": re.compile(r"virial", re.IGNORECASE),
}
_OTHER = re.compile(
    r"kinetic|zpe|gap|fermi|cut|std|dev|uncert|per_?atom|bind|form|hull|free|unit|error|"
    r"weight|corr|entropy|atomic|local",
    re.IGNORECASE,
)
# ASE's and VASP's, which forces belong to: where there is no other.
_FREE = "free_energy"
# Names that say a reference, where there are several.
_FIRST = re.compile(r"^(ref|dft)|(ref|dft)$", re.IGNORECASE)


def suggest_keys(frames: Sequence[Any]) -> dict[str, str]:
    """Key per label that structures have under another name than ASE's.

    Args:
        frames: ``ase.Atoms`` as read.

    Returns:
        By ``"energy"``, ``"forces"``, ``"stress"``, ``"virial"``; labels that ASE holds, and those
        without a candidate, are not among them. A tensor called both is called a stress.
    """
    found: dict[str, str] = {}
    for label, names in _NAMES.items():
        counts: Counter[str] = Counter()
        for atoms in frames:
            own = {str(name): value for name, value in held(atoms).items()}
            held_already = "stress" if label == "virial" else label  # no virial is ASE's
            if held_already in own or (label == "forces" and "force" in own) or is_predicted(atoms):
                continue
            for name, value in own.items():
                if name == "E" and own.keys() >= {"i", "time"}:  # CP2K's, in hartree
                    continue
                other = name != _FREE and _OTHER.search(name)
                if names.search(name) and not other and _fits(label, value, atoms):
                    counts[name] += 1
        counts.pop(found.get("stress", ""), None)
        if counts:
            order = [(n == _FREE, -counts[n], not _FIRST.search(n), n) for n in counts]
            found[label] = min(order)[-1]
    return found


def key_options(keys: dict[str, str]) -> str:
    """As options of a command.

    >>> key_options({"energy": "REF_energy", "forces": "REF_forces"})
    '--energy-key REF_energy --forces-key REF_forces'
    """
    return " ".join(f"--{label}-key {key}" for label, key in keys.items())


def _fits(label: str, value: Any, atoms: Any) -> bool:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return False
    if label == "energy":
        return array.shape == ()
    if label == "forces":
        return array.shape == (len(atoms), 3)
    return array.size in (6, 9)
