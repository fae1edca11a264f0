"""Whether two forces compute the same: what a restart asks before it continues a run."""

from __future__ import annotations

import base64
import hashlib

import openmm

from nnp.engines.cpu import PRECISIONS
from nnp.errors import OptionError
from nnp.openmm._plugin import is_native
from nnp.openmm.computed import DIGITS, Computed, engine_text, physics_digest
from nnp.openmm.monitor import Monitor, monitor
from nnp.openmm.native_force import attributes
from nnp.openmm.torch_force import is_torch_force


def fingerprint(force: openmm.Force) -> dict[str, str]:
    """Kind, physics and engine of a force, for comparison.

    Returns:
        ``kind``: its class; ``physics``: a digest, the same for the same potential, atoms and
        scale whatever the route, engine and precision; of a force that is not ours, of its XML,
        or empty where it has none; ``engine``: name and precision, empty if it is not ours.
    """
    kind = "NNPForce" if is_native(force) else type(force).__name__
    found = _native(force) if is_native(force) else _monitored(force)
    if found is None:
        return {"kind": kind, "physics": _foreign(force), "engine": ""}
    return {"kind": kind, "physics": found.physics, "engine": found.engine}


def _native(force: openmm.Force) -> Computed:
    about = attributes(force)
    numbers, potential = (base64.b64decode(about[name]) for name in ("atomicNumbers", "potential"))
    physics = physics_digest(numbers, about["periodic"] == "1", potential)
    if about["scaleParameter"]:
        physics += f" {about['scaleParameter']}={about['defaultScale']}"
    names = {number: name for name, number in PRECISIONS.items()}
    return Computed(physics, engine_text("cpu", names[int(about["precision"])]))


def _monitored(force: openmm.Force) -> Computed | None:
    try:
        found = monitor(force)
    except OptionError:
        return None
    return found.computed() if isinstance(found, Monitor) and found.computed else None


def _foreign(force: openmm.Force) -> str:
    if is_torch_force(force):  # its XML holds a file whose bytes are never the same
        return ""
    try:
        text = openmm.XmlSerializer.serialize(force)
    except openmm.OpenMMException:  # a PythonForce whose function cannot be pickled
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
