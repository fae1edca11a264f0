"""What the evaluations of a plugin's force said: read from its memory, when asked."""

from __future__ import annotations

import ctypes as ct
import uuid
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray

from nnp.engines import _library as engine_library
from nnp.errors import NNPError, OptionError, UnavailableError
from nnp.evaluation import Evaluation, Extrapolation, Extrapolations
from nnp.finalize import release_with
from nnp.openmm._plugin import Reading, address, load_plugin

_MESSAGE_SIZE = 1024


class NativeMonitor:
    """The last evaluation of a force of route ``native``, with the attributes of `Monitor`.

    Nothing is copied during a step; each attribute copies what it shows. Read it between steps.
    It outlives its force.

    Args:
        force: of route ``native``.
        context: whose evaluations to see; None: of the Context that was evaluated last.

    Raises:
        OptionError: a force of another route, or one that is not in the context.
    """

    def __init__(self, force: openmm.Force, context: openmm.Context | None = None) -> None:
        self.token: str = uuid.uuid4().hex
        self._library = load_plugin()
        message = ct.create_string_buffer(_MESSAGE_SIZE)
        self._handle = self._library.nnp_openmm_monitor_create(
            address(force), None if context is None else address(context), message, _MESSAGE_SIZE
        )
        if not self._handle:
            raise OptionError(message.value.decode(errors="replace"))
        destroy = self._library.nnp_openmm_monitor_destroy
        release_with(self, destroy, self._handle)

    @property
    def evaluations(self) -> int:
        """How many there were that went well."""
        return int(self._read().evaluations)

    @property
    def error(self) -> NNPError | None:
        """What the latest evaluation raised, None if it went well."""
        reading = self._read()
        try:
            engine_library.check(
                reading.code,
                reading.message.decode(),
                reading.failed_particle,
                reading.failed_other,
            )
        except NNPError as error:
            return error
        return None

    @property
    def failure(self) -> int:
        """The latest evaluation's number among `failures`, 0 if it went well."""
        return int(self._read().failure)

    @staticmethod
    def failures() -> int:
        """How many evaluations of the plugin's forces went wrong in this process."""
        return int(load_plugin().nnp_openmm_failures())

    @property
    def last(self) -> Evaluation | None:
        """The latest that went well, of all particles, Å and eV; None before the first.

        The energy is without the scale parameter. What lies on a GPU is copied from there, in the
        thread that steps; it is lost with the Context: the atoms' energies are NaN then, the
        forces None. Parts of it overwritten by an evaluation that went wrong are not told apart:
        look at ``error`` first.
        """
        reading = self._fetch()
        if not reading.evaluations:
            return None
        particles = _copy(reading.particles, reading.n_atoms)
        energies = np.zeros(reading.n_particles)
        energies[particles] = np.nan  # if lost with a Context on a GPU
        if reading.energies:
            energies[particles] = _copy(reading.energies, reading.n_atoms)
        forces = None
        if reading.forces:
            forces = np.zeros((reading.n_particles, 3))
            forces[particles] = _copy(reading.forces, 3 * reading.n_atoms).reshape(-1, 3)
        return Evaluation(
            reading.energy, energies, forces, _stress(reading), _extrapolations(reading)
        )

    @property
    def extrapolations(self) -> Extrapolations | None:
        """Functions outside their training range, None before the first evaluation."""
        reading = self._read()
        return _extrapolations(reading) if reading.evaluations else None

    @property
    def stress(self) -> NDArray[np.float64] | None:
        """(6,) eV/Å³ in ASE's order and OpenMM's axes, without the scale parameter.

        None without cell or forces, and where the evaluation was on a GPU.
        """
        return _stress(self._read())

    @property
    def count(self) -> int:
        """How many atoms extrapolate in at least one function."""
        return int(self._read().n_extrapolating)

    @property
    def worst(self) -> Extrapolation | None:
        """The worst (atom, function) pair, None when no atom extrapolates."""
        reading = self._read()
        if reading.worst < 0:
            return None
        index = reading.worst
        return Extrapolation(
            int(reading.extrapolating_particles[index]),
            int(reading.functions[index]),
            float(reading.excess[index]),
            float(reading.relative[index]),
        )

    def _read(self) -> Reading:
        reading = Reading()
        self._library.nnp_openmm_monitor_read(self._handle, ct.byref(reading))
        return reading

    def _fetch(self) -> Reading:
        reading, message = Reading(), ct.create_string_buffer(_MESSAGE_SIZE)
        if self._library.nnp_openmm_monitor_fetch(
            self._handle, ct.byref(reading), message, _MESSAGE_SIZE
        ):
            raise UnavailableError(message.value.decode(errors="replace"))
        return reading


def _copy(pointer: Any, n: int) -> NDArray[Any]:
    return np.ctypeslib.as_array(pointer, (n,)).copy() if n else np.empty(0, pointer._type_)


def _stress(reading: Reading) -> NDArray[np.float64] | None:
    return _copy(reading.stress, 6) if reading.stress else None


def _extrapolations(reading: Reading) -> Extrapolations:
    n = reading.n_extrapolations
    return Extrapolations(
        _copy(reading.extrapolating_particles, n).astype(np.int64),
        _copy(reading.functions, n).astype(np.int64),
        _copy(reading.excess, n),
        _copy(reading.relative, n),
    )
