"""Restart files: a zip of ``header.json``, ``state.xml`` (portable) and ``checkpoint`` (exact).

The checkpoint brings back random numbers and thermostat to the bit, but only into the same
platform of the same OpenMM with the same dynamics; elsewhere the state's positions, velocities and
box continue the run, with fresh random numbers. Barostats always get fresh ones: OpenMM keeps
theirs in no file.

OpenMM trusts a checkpoint blindly, so a checksum over everything in the file is compared first.
Files of version 1 have none: their checkpoint is not used.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnp.errors import FileFormatError, NNPError
from nnp.io.files import reason, replacing
from nnp.md.settings import MDSettings

FORMAT = "nnp-md-restart"
VERSION = 2
_NUMBERS = ("step", "symbols", "kind", "log", "trajectory")

# Largest sizes that are read, bytes: of the header, of other members at rest and per atom.
_HEADER_BYTES, _REST_BYTES, _BYTES_PER_ATOM = 1 << 26, 1 << 24, 1 << 12
# What zip, JSON and wrong types raise.
_DAMAGED = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Restart:
    """Content of a restart file.

    Attributes:
        step: steps made since the beginning.
        symbols: atomic numbers, to recognise the structure.
        kind: what a checkpoint must fit: OpenMM version, platform, dynamics, what is fixed, and
            the forces as `nnp.openmm.fingerprint` tells them.
        log: name of the log and its size in bytes at this step.
        files: of each file of frames its name, bytes and number of frames at this step; the
            trajectory first.
        state: OpenMM's State as XML.
        checkpoint: OpenMM's checkpoint; None where it may not be used.
        time_fs: since the beginning.
        segment: how often dynamics or forces were changed since the beginning.
        settings: of the run.
        machine: how the forces were computed: route, platform, engine and its options; what is
            not in it was not said.
        energy: total energy with which the segment began, eV; None if not known.
    """

    step: int
    symbols: list[int]
    kind: dict[str, Any]
    log: tuple[str, int]
    files: tuple[tuple[str, int, int], ...]
    state: str
    checkpoint: bytes | None
    time_fs: float
    segment: int
    settings: MDSettings
    machine: dict[str, Any] = field(default_factory=dict)
    energy: float | None = None

    def mark(self, name: str) -> tuple[int, int] | None:
        """Bytes and frames of the file of this name at this step; None if it had none."""
        return next(((size, count) for known, size, count in self.files if known == name), None)


def write_restart(restart: Restart, path: Path) -> None:
    """Replace the restart file; the old one stays until the new one is complete."""
    header = {k: v for k, v in vars(restart).items() if k not in ("state", "checkpoint", "files")}
    header |= {"trajectory": restart.files[0], "more": restart.files[1:]}
    header |= {"settings": asdict(restart.settings), "format": FORMAT, "version": VERSION}
    members = {"state.xml": restart.state.encode(), "checkpoint": restart.checkpoint or b""}
    header["sha256"] = _digest(header, members)
    with (
        replacing(path, force=True) as scratch,
        zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        archive.writestr("header.json", json.dumps(header))
        for name, data in members.items():
            archive.writestr(name, data)


def read_restart(path: str | Path) -> Restart:
    """Read a restart file.

    Raises:
        FileFormatError: no such file, truncated, damaged, something else, or from a newer version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = _header(archive, path)
            size = _REST_BYTES + _BYTES_PER_ATOM * len(header["symbols"])
            members = {n: _member(archive, n, size) for n in ("state.xml", "checkpoint")}
        return _restart(header, members)
    except FileFormatError:
        raise
    except (*_DAMAGED, NNPError) as error:
        raise FileFormatError(
            f"{path} cannot be read as a restart file ({reason(error)}): give the PREFIX.restart "
            "of a run"
        ) from None


def _header(archive: zipfile.ZipFile, path: str | Path) -> dict[str, Any]:
    header = json.loads(_member(archive, "header.json", _HEADER_BYTES))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(f"{path} is not a restart file: give the PREFIX.restart of a run")
    version = _whole(header["version"])
    if version > VERSION:
        raise FileFormatError(
            f"{path} has format version {version}, this nnp reads up to {VERSION}: upgrade nnp"
        )
    return header


def _restart(header: dict[str, Any], members: dict[str, bytes]) -> Restart:
    """What they hold; what does not fit raises one of ``_DAMAGED`` or our own errors."""
    version = header["version"]
    if version > 1 and header.pop("sha256") != _digest(header, members):
        raise ValueError("its checksum does not match: it is damaged")
    step, symbols, kind, log, trajectory = (header[name] for name in _NUMBERS)
    settings = header["settings"] if version > 1 else kind["dynamics"]
    known = {k: v for k, v in settings.items() if k in MDSettings.__dataclass_fields__}
    state = members["state.xml"].decode()
    if not re.match(r"\s*(<\?xml[^>]*\?>\s*)?<State[\s>]", state):
        raise ValueError("its state.xml is not a State of OpenMM")  # others may hold code
    chosen = MDSettings(**known)
    time_fs = float(header["time_fs"]) if version > 1 else step * chosen.timestep
    if not math.isfinite(time_fs):
        raise ValueError(f"time_fs={time_fs}")
    energy = header.get("energy")
    return Restart(
        step=_whole(step),
        symbols=[_whole(number) for number in symbols],
        kind=dict(kind),
        log=(str(log[0]), _whole(log[1])),
        files=tuple(
            (str(name), _whole(size), _whole(count))
            for name, size, count in (trajectory, *header.get("more", ()))
        ),
        state=state,
        checkpoint=members["checkpoint"] if version > 1 else None,
        time_fs=time_fs,
        segment=_whole(header.get("segment", 0)),
        settings=chosen,
        machine=dict(header.get("machine", {})),
        energy=None if energy is None else float(energy),
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return int(value)


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    told = archive.getinfo(name).file_size
    if told > size:
        raise ValueError(f"{name} unpacks to {told} bytes, more than {size}")
    with archive.open(name) as file:
        return file.read(size + 1)


def _digest(header: dict[str, Any], members: dict[str, bytes]) -> str:
    """Of all members, the header without the digest."""
    found = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(members):
        found.update(name.encode() + b"\0" + hashlib.sha256(members[name]).digest())
    return found.hexdigest()
