"""Going on from a restart file: what is captured, put back, compared, and what a change means.

A run that goes on with other dynamics, platform or engine begins a new segment: time and steps are
continuous, log and trajectory carry the number of the segment. Other forces, atoms or constraints
are another run and refused in the same files.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from openmm import unit

from nnp.errors import FileFormatError, OptionError, StructureError
from nnp.md.dynamics import Begin, Dynamics
from nnp.md.restart import Restart
from nnp.md.settings import MDSettings
from nnp.values import counted

_DIGITS = 32


def capture(
    dynamics: Dynamics,
    log: tuple[str, int],
    files: Sequence[tuple[str, int, int]],
    machine: dict[str, Any],
    energy: float | None,
) -> Restart:
    """The present state, ready to be written.

    Args:
        dynamics: whose state.
        log: see `Restart`.
        files: see `Restart`.
        machine: see `Restart`.
        energy: see `Restart`.
    """
    state = dynamics.context.getState(
        positions=True, velocities=True, parameters=True, integratorParameters=True
    )
    return Restart(
        step=dynamics.step,
        symbols=_atomic_numbers(dynamics),
        kind=_kind(dynamics),
        log=log,
        files=tuple(files),
        state=openmm.XmlSerializer.serialize(state),
        checkpoint=dynamics.context.createCheckpoint(),
        time_fs=dynamics.time_fs,
        segment=dynamics.begin.segment,
        settings=dynamics.settings,
        machine=machine,
        energy=energy,
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
        StructureError: the restart is of other atoms, or others are fixed.
        FileFormatError: its state does not fit.
    """
    numbers = _atomic_numbers(dynamics)
    if restart.symbols != numbers:
        raise StructureError(
            f"{path} continues a run of {counted(len(restart.symbols), 'atom')}, the structure has "
            f"{len(numbers)} or other elements: give the structure that the run began with"
        )
    kind = _kind(dynamics)
    if restart.kind.get("fixed", kind["fixed"]) != kind["fixed"]:
        raise StructureError(
            f"{path} continues a run with other masses, fixed atoms or kept distances than the "
            "structure has: give the structure that the run began with"
        )
    if restart.kind == kind and restart.checkpoint is not None:
        try:
            dynamics.context.loadCheckpoint(restart.checkpoint)
        except openmm.OpenMMException:
            pass
        else:
            return dynamics.settings.ensemble != "npt"
    try:
        _set_state(dynamics, openmm.XmlSerializer.deserialize(restart.state))
    except (openmm.OpenMMException, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: its state cannot be used ({error}): it is damaged"
        ) from None
    dynamics.context.setStepCount(restart.step)
    dynamics.context.setTime(restart.time_fs / 1000)
    return False


def next_segment(restart: Restart, changes: list[str]) -> Begin:
    """Where the run continues: in the restart's segment, or with changes in the next."""
    return Begin(restart.step, restart.time_fs, restart.segment + bool(changes))


def changes_of(
    restart: Restart, settings: MDSettings, platform: str, forces: list[dict[str, str]]
) -> list[str]:
    """What is not as it was, for people: ``timestep 1.0 → 2.0``; only what is used counts.

    Args:
        restart: what to continue.
        settings: that it continues with.
        platform: of OpenMM.
        forces: fingerprints of what moves the atoms now.
    """
    before, now = restart.settings.used, settings.used
    found = [
        f"{name} {before.get(name, 'none')} → {now.get(name, 'none')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    known = restart.kind.get("platform", platform)
    if known != platform:
        found.append(f"platform {known} → {platform}")
    old = restart.kind.get("forces", forces)
    if old != forces and _physics(old) == _physics(forces):
        found.append(f"{_engines(old)} → {_engines(forces)}")
    elif old != forces:
        found.append("forces")
    return found


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


def _set_state(dynamics: Dynamics, state: openmm.State) -> None:
    system = unit.md_unit_system
    positions = np.array(state.getPositions(asNumpy=True).value_in_unit_system(system))
    velocities = np.array(state.getVelocities(asNumpy=True).value_in_unit_system(system))
    wanted = (len(dynamics.masses), 3)
    if positions.shape != wanted or velocities.shape != wanted:
        raise ValueError(f"positions {positions.shape}, velocities {velocities.shape}")
    if not (np.isfinite(positions).all() and np.isfinite(velocities).all()):
        raise ValueError("numbers that are not finite")
    dynamics.context.setPositions(positions)
    dynamics.context.setVelocities(velocities)
    if dynamics.start.box_nm is not None:
        dynamics.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())


def _physics(forces: Any) -> Any:
    try:
        return [force["physics"] for force in forces]
    except (TypeError, KeyError):
        return forces


def _engines(forces: Any) -> str:
    return ", ".join(f"{force['kind']} {force['engine']}".strip() for force in forces)


def _atomic_numbers(dynamics: Dynamics) -> list[int]:
    return [atom.element.atomic_number for atom in dynamics.start.topology.atoms()]


def _kind(dynamics: Dynamics) -> dict[str, Any]:
    return {
        "openmm": openmm.__version__,
        "platform": dynamics.context.getPlatform().getName(),
        "dynamics": dynamics.settings.used,
        "fixed": _fixed(dynamics),
        "forces": dynamics.forces,
    }


def _fixed(dynamics: Dynamics) -> str:
    """A digest of masses and kept distances; of lengths only that they are there."""
    digest = hashlib.sha256(np.round(dynamics.masses, 6).tobytes())
    digest.update(np.sort(dynamics.constraints.pairs, axis=1).tobytes())
    return digest.hexdigest()[:_DIGITS]
