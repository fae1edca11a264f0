"""Restart files: a zip of ``header.json``, ``state.xml`` (portable) and ``checkpoint`` (exact).

The checkpoint brings back random numbers and thermostat to the bit, but only into the same
platform of the same OpenMM with the same dynamics; elsewhere the state's positions, velocities and
box continue the run, with fresh random numbers. Barostats always get fresh ones: OpenMM keeps
theirs in no file.
"""

from __future__ import annotations

import json
import warnings
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import openmm

from nnp.errors import FileFormatError, OptionError, StructureError
from nnp.io.files import replacing
from nnp.md.dynamics import Dynamics
from nnp.md.settings import MDSettings
from nnp.values import counted

FORMAT = "nnp-md-restart"
VERSION = 1

# Settings that do not change the dynamics, so that a checkpoint fits whatever they are.
_FREE = (
    "steps",
    "seed",
    "log_interval",
    "frame_interval",
    "restart_interval",
    "max_extrapolations",
)


@dataclass(frozen=True)
class Restart:
    """Content of a restart file.

    Attributes:
        step: steps made since the beginning.
        symbols: atomic numbers, to recognise the structure.
        kind: what a checkpoint must fit: OpenMM version, platform, dynamics, and the forces as
            `nnp.openmm.fingerprint` tells them.
        log: name of the log and its size in bytes at this step.
        trajectory: name of the trajectory, its bytes and frames at this step.
        state: OpenMM's State as XML.
        checkpoint: OpenMM's checkpoint.
    """

    step: int
    symbols: list[int]
    kind: dict[str, Any]
    log: tuple[str, int]
    trajectory: tuple[str, int, int]
    state: str
    checkpoint: bytes


def write_restart(restart: Restart, path: Path) -> None:
    """Replace the restart file; the old one stays until the new one is complete."""
    header = {key: value for key, value in vars(restart).items() if key in _HEADER}
    header |= {"format": FORMAT, "version": VERSION}
    with (
        replacing(path, force=True) as scratch,
        zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr("header.json", json.dumps(header))
        archive.writestr("state.xml", restart.state)
        archive.writestr("checkpoint", restart.checkpoint)


def read_restart(path: str | Path) -> Restart:
    """Read a restart file.

    Raises:
        FileFormatError: no such file, truncated, something else, or from a newer version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(archive.read("header.json"))
            state, checkpoint = archive.read("state.xml").decode(), archive.read("checkpoint")
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError) as error:
        raise FileFormatError(
            f"{path} cannot be read as a restart file ({error}): give the PREFIX.restart of a run"
        ) from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(f"{path} is not a restart file: give the PREFIX.restart of a run")
    if header["version"] > VERSION:
        raise FileFormatError(
            f"{path} has format version {header['version']}, this nnp reads up to {VERSION}: "
            "upgrade nnp"
        )
    values = {key: header[key] for key in _HEADER}
    values |= {"log": tuple(values["log"]), "trajectory": tuple(values["trajectory"])}
    return Restart(**values, state=state, checkpoint=checkpoint)


def capture(dynamics: Dynamics, log: tuple[str, int], trajectory: tuple[str, int, int]) -> Restart:
    """The present state, ready to be written."""
    state = dynamics.context.getState(
        positions=True, velocities=True, parameters=True, integratorParameters=True
    )
    return Restart(
        step=dynamics.step,
        symbols=_atomic_numbers(dynamics),
        kind=_kind(dynamics),
        log=log,
        trajectory=trajectory,
        state=openmm.XmlSerializer.serialize(state),
        checkpoint=dynamics.context.createCheckpoint(),
    )


def apply(restart: Restart, dynamics: Dynamics, path: Path) -> bool:
    """Put a context into the restart's state.

    Args:
        restart: what to continue.
        dynamics: of the same atoms.
        path: of the restart, for messages.

    Returns:
        Whether thermostat and random numbers are continued too, and not only positions,
        velocities and box.

    Raises:
        StructureError: the restart is of other atoms.
    """
    numbers = _atomic_numbers(dynamics)
    if restart.symbols != numbers:
        raise StructureError(
            f"{path} continues a run of {counted(len(restart.symbols), 'atom')}, the structure has "
            f"{len(numbers)} or other elements: give the structure that the run began with"
        )
    if restart.kind == _kind(dynamics):
        try:
            dynamics.context.loadCheckpoint(restart.checkpoint)
        except openmm.OpenMMException:
            pass
        else:
            return dynamics.settings.ensemble != "npt"
    state = openmm.XmlSerializer.deserialize(restart.state)
    dynamics.context.setPositions(state.getPositions())
    dynamics.context.setVelocities(state.getVelocities())
    if dynamics.start.box_nm is not None:
        dynamics.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
    dynamics.context.setStepCount(restart.step)
    dynamics.context.setTime(restart.step * dynamics.settings.timestep / 1000)
    return False


def check_forces(restart: Restart, dynamics: Dynamics, path: Path, same_files: bool) -> None:
    """Forces other than the run's are refused where they would go on in its files, else told.

    Args:
        restart: what to continue.
        dynamics: what continues it.
        path: of the restart, for messages.
        same_files: whether log or trajectory are continued.

    Raises:
        OptionError: another potential or other forces, and ``same_files``.
    """
    before, now = restart.kind.get("forces"), dynamics.forces
    if before == now:
        return
    if _physics(before) != _physics(now):
        text = f"{path} was written with other forces (another potential, scale or force field)"
        if same_files:
            raise OptionError(
                f"{text}, and one log would hold both: give the potential that the run began with, "
                "or files of its own by another --output (Outputs)"
            )
    else:
        text = f"{path} was written with {_engines(before)}, not {_engines(now)}"
    warnings.warn(f"{text}: the run goes on from its positions", RuntimeWarning, stacklevel=3)


def _physics(forces: Any) -> Any:
    try:
        return [force["physics"] for force in forces]
    except (TypeError, KeyError):
        return forces


def _engines(forces: Any) -> str:
    return ", ".join(f"{force['kind']} {force['engine']}".strip() for force in forces)


_HEADER = ("step", "symbols", "kind", "log", "trajectory")


def _atomic_numbers(dynamics: Dynamics) -> list[int]:
    return [atom.element.atomic_number for atom in dynamics.start.topology.atoms()]


def _kind(dynamics: Dynamics) -> dict[str, Any]:
    return {
        "openmm": openmm.__version__,
        "platform": dynamics.context.getPlatform().getName(),
        "dynamics": _dynamics_settings(dynamics.settings),
        "forces": dynamics.forces,
    }


def _dynamics_settings(settings: MDSettings) -> dict[str, Any]:
    return {key: value for key, value in asdict(settings).items() if key not in _FREE}
