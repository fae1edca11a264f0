"""What a row of the log tells beyond OpenMM's state: the stress, and a committee's disagreement.

OpenMM has no virial; the CPU engine's forces bring it along, and the force's monitor has it.
Elsewhere (a GPU, TorchForce, a committee) an engine of its own evaluates the potential once more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nnp.committee import CommitteeEvaluation
from nnp.engines import Engine, make_engine, options_of
from nnp.evaluation import voigt
from nnp.md.dynamics import Dynamics
from nnp.md.snapshot import Snapshot
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.units import EV_PER_U_A2_FS2, NANOMETRE

_ON_PROCESSOR = (None, "CPU", "Reference")


class Observer:
    """Evaluates a potential on states of a run.

    Nothing is evaluated where nothing is to be told: no potential; forces beside it or a scale (the
    stress is not its own), kept distances (whose forces have a virial that nobody knows) or no
    cell, and no committee.

    Args:
        dynamics: whose states; evaluated once before, for only then its forces say what they know.
        potential: what moves the atoms; None if not known.
        machine: how the run computes forces: ``engine``, ``dtype``, ``threads``.

    Attributes:
        has_spread: whether a committee is asked.
    """

    def __init__(
        self, dynamics: Dynamics, potential: Potential | None, machine: dict[str, Any]
    ) -> None:
        self._start, self._masses = dynamics.start, dynamics.masses
        self._numbers = np.array(
            [atom.element.atomic_number for atom in self._start.topology.atoms()], np.int64
        )
        alone = len(dynamics.forces) == 1 and _is_plain(dynamics.forces[0])
        periodic = self._start.box_nm is not None
        self._stress = alone and periodic and not len(dynamics.constraints.pairs)
        self.has_spread = alone and bool(getattr(potential, "members", ()))  # a committee
        self._monitor = dynamics.monitor if self._stress else None
        self._engine: Engine | None = None
        told = self._monitor is not None and self._monitor.stress is not None
        if potential is not None and (self.has_spread or (self._stress and not told)):
            self._engine = _engine(potential, machine)

    def observe(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with stress and spread, where they can be known.

        Args:
            snapshot: a full one, of the last evaluation.

        Raises:
            NNPError: what the potential raised.
        """
        stress = None if self._monitor is None else self._monitor.stress
        if self._engine is not None:
            found = self._engine.compute(self._structure(snapshot), self.has_spread, self._stress)
            stress = found.stress
            if isinstance(found, CommitteeEvaluation):
                spread = np.linalg.norm(np.asarray(found.forces_deviation), axis=1)
                atom = int(spread.argmax())
                snapshot = replace(snapshot, force_spread=float(spread[atom]), spread_atom=atom)
        if stress is None:
            return snapshot
        kinetic = _kinetic_stress(snapshot, self._masses)
        total = self._in_axes_of_the_start(_tensor(stress) + kinetic)
        return replace(snapshot, stress=voigt(total))

    def _structure(self, snapshot: Snapshot) -> Structure:
        periodic = snapshot.box_nm is not None
        cell = np.zeros((3, 3)) if snapshot.box_nm is None else snapshot.box_nm * NANOMETRE
        positions = snapshot.positions_nm * NANOMETRE
        return Structure(positions, self._numbers, cell, np.full(3, periodic))

    def _in_axes_of_the_start(self, tensor: Any) -> Any:
        rotation = self._start.rotation
        return rotation @ tensor @ rotation.T


def _is_plain(force: dict[str, str]) -> bool:
    """Whether it is one of ours, without a scale."""
    return bool(force["engine"]) and "=" not in force["physics"]


def _engine(potential: Potential, machine: dict[str, Any]) -> Engine:
    name = str(machine.get("engine", "cpu"))
    known = options_of(name)
    options = {k: v for k, v in machine.items() if k in known and k in ("dtype", "threads")}
    if machine.get("platform") not in _ON_PROCESSOR and "threads" in known:
        options["threads"] = None  # of a run on a GPU the processor is idle
    return make_engine(potential, name, **options)


def _kinetic_stress(snapshot: Snapshot, masses: Any) -> Any:
    velocities = snapshot.velocities
    momentum_flow = (masses[:, None] * velocities).T @ velocities * EV_PER_U_A2_FS2
    return -momentum_flow / snapshot.volume


def _tensor(stress: Any) -> Any:
    xx, yy, zz, yz, xz, xy = stress
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
