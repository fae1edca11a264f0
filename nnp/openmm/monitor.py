"""Reading, between steps, what a force's last evaluation said; costs the step nothing."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
import openmm
from numpy.typing import NDArray

from nnp.errors import NNPError, OptionError
from nnp.evaluation import ArrayEvaluation, Evaluation, Extrapolation, Extrapolations
from nnp.openmm._plugin import is_native, why_unavailable
from nnp.openmm.computed import Computed
from nnp.openmm.native_monitor import NativeMonitor


class Monitor:
    """The last evaluation of one force.

    Attributes:
        token: identifies the force; stands in its serialised form.
        evaluations: how many there were.
        last: the latest, Å and eV; None before the first.
        error: what the latest evaluation raised, None if it went well.
        failure: its number among all that raised in this process, 0 if it went well.
        computed: what is evaluated, when called; None if not told.
    """

    def __init__(self) -> None:
        self.computed: Callable[[], Computed] | None = None
        self.token: str = uuid.uuid4().hex
        self.evaluations: int = 0
        self.last: Evaluation | ArrayEvaluation | None = None
        self.error: BaseException | None = None
        self.failure = 0
        _MONITORS[self.token] = self

    def record(self, evaluation: Evaluation | ArrayEvaluation) -> None:
        """Take note of an evaluation that went well."""
        self.evaluations += 1
        self.last = evaluation
        self.error, self.failure = None, 0

    def record_error(self, error: BaseException) -> None:
        """Take note of an evaluation that raised."""
        self.error = error
        Monitor._failures += 1
        self.failure = Monitor._failures

    _failures = 0

    @classmethod
    def failures(cls) -> int:
        """How many evaluations raised in this process."""
        return cls._failures

    @property
    def extrapolations(self) -> Extrapolations | None:
        """Functions outside their training range, None before the first evaluation."""
        return None if self.last is None else self.last.extrapolations

    @property
    def stress(self) -> NDArray[np.float64] | None:
        """(6,) eV/Å³ in ASE's order and OpenMM's axes; None where it costs more than the forces."""
        return (
            None if self.last is None or self.last.stress is None else np.asarray(self.last.stress)
        )

    @property
    def count(self) -> int:
        """How many atoms extrapolate in at least one function."""
        return 0 if self.last is None else self.last.extrapolations.n_atoms

    @property
    def worst(self) -> Extrapolation | None:
        """The worst (atom, function) pair, None when no atom extrapolates."""
        return None if self.last is None else self.last.extrapolations.worst


class Monitored(Protocol):
    """Something a force calls."""

    monitor: Monitor


_MONITORS: WeakValueDictionary[str, Monitor] = WeakValueDictionary()
# C++ address of a force → what it calls, which only the force keeps alive: no address is stale.
_BY_ADDRESS: WeakValueDictionary[int, Monitored] = WeakValueDictionary()
_TORCH_MONITORS: dict[str, Monitor] = {}


def remember(force: openmm.Force, called: Monitored) -> None:
    """Connect a force that was just made with what it calls."""
    _BY_ADDRESS[int(force.this)] = called


def remember_token(handle: Monitor) -> None:
    """Keep the monitor of a TorchForce, whose file's name carries the token."""
    _TORCH_MONITORS[handle.token] = handle


def monitor(force: openmm.Force) -> Monitor | NativeMonitor:
    """The monitor of a force, also of one got by ``system.getForce`` or a copy of one.

    Raises:
        OptionError: the force was not made by `create_force`.
    """
    if is_native(force):
        return NativeMonitor(force)
    called = _BY_ADDRESS.get(int(force.this))
    found = _by_token(force) if called is None else called.monitor
    if found is None:
        raise OptionError(
            f"{force.getName()!r} is not a force of nnp.openmm.create_force: it has no monitor"
        )
    return found


def monitors(
    system: openmm.System, context: openmm.Context | None = None
) -> list[Monitor | NativeMonitor]:
    """The monitors of all forces of a system that have one.

    Args:
        system: with the forces.
        context: of the system, whose evaluations to see where forces tell them apart (route
            ``native``); None: of the Context that was evaluated last.
    """
    found: list[Monitor | NativeMonitor] = []
    for force in system.getForces():
        with contextlib.suppress(OptionError):
            own = context is not None and is_native(force)
            found.append(NativeMonitor(force, context) if own else monitor(force))
    return found


@contextlib.contextmanager
def original_errors(system: openmm.System) -> Iterator[None]:
    """Raise what an evaluation raised, instead of the OpenMMException that OpenMM turns it into.

    Example:
        >>> with original_errors(simulation.system):  # doctest: +SKIP
        ...     simulation.step(1000)
    """
    before: dict[type, int] = {Monitor: Monitor.failures()}
    if why_unavailable() is None:
        before[NativeMonitor] = NativeMonitor.failures()
    try:
        yield
    except openmm.OpenMMException as raised:
        for handle in monitors(system):
            error = handle.error
            if error is not None and handle.failure > before[type(handle)]:
                raise error from raised
        raise


def describe_error(error: BaseException) -> str:
    """The text that OpenMM passes on; names the class of errors that are not ours."""
    return str(error) if isinstance(error, NNPError) else f"{type(error).__name__}: {error}"


def _by_token(force: Any) -> Monitor | None:
    """The token of a TorchForce is its file's name, that of a PythonForce stands in its XML."""
    openmmtorch = sys.modules.get("openmmtorch")
    if openmmtorch is not None and openmmtorch.TorchForce.isinstance(force):
        file = openmmtorch.TorchForce.cast(force).getFile()
        return _TORCH_MONITORS.get(PurePath(file).stem)
    if not isinstance(force, openmm.PythonForce):
        return None
    try:
        text = openmm.XmlSerializer.serialize(force)
    except openmm.OpenMMException:  # a function that cannot be pickled: not ours
        return None
    for token, handle in list(_MONITORS.items()):
        if token.encode().hex() in text:
            return handle
    return None
