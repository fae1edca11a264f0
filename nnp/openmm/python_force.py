"""The route ``python``: an ``openmm.PythonForce`` that calls an engine.

Works with every engine and platform, with any torch or none, and survives copying and
serialisation: the model travels inside.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray

from nnp.engines import Engine, create_engine
from nnp.errors import NNPError
from nnp.io.model import from_bytes, to_bytes
from nnp.openmm.computed import Computed
from nnp.openmm.monitor import Monitor, describe_error, remember
from nnp.openmm.species import Species
from nnp.openmm.subset import spread
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.units import KJ_PER_MOL, KJ_PER_MOL_PER_NANOMETRE, NANOMETRE


class EngineCallback:
    """What OpenMM calls: a State in, energy (kJ/mol) and forces (kJ/mol/nm) out.

    Args:
        species: the particles of the System; an atomic number of 0 leaves a particle out, and the
            State holds the others.
        model: the content of a model file.
        engine: name of the engine.
        options: of the engine.
    """

    def __init__(
        self, species: Species, model: bytes, engine: str, options: dict[str, Any]
    ) -> None:
        self.monitor = Monitor()
        # holds nothing of self: `monitor` finds forces by address as long as this object lives
        self.monitor.computed = partial(Computed.of_bytes, model, species, engine, options)
        self._species = species
        self._model = model
        self._engine_name = engine
        self._options = options
        self._engine: Engine | None = None
        self._last: Structure | None = None
        self._pbc = np.full(3, species.periodic)
        self._stress = species.periodic and engine == "cpu"  # where the forces bring it along
        chosen = np.flatnonzero(species.atomic_numbers)
        self._numbers = species.atomic_numbers[chosen]
        self.particles = chosen if len(chosen) < len(species.atomic_numbers) else None

    def __call__(self, state: openmm.State) -> tuple[float, NDArray[np.float64]]:
        """Energy, kJ/mol, and (n, 3) forces, kJ/mol/nm; OpenMM passes on an error's text."""
        try:
            evaluation = self.engine.compute(self._structure(state), True, self._stress)
        except BaseException as error:
            self.monitor.record_error(error)
            if isinstance(error, NNPError):
                raise
            raise NNPError(describe_error(error)) from error
        if self.particles is None:
            self.monitor.record(evaluation)
        else:
            self.monitor.record(
                spread(evaluation, self.particles, len(self._species.atomic_numbers))
            )
        return evaluation.energy / KJ_PER_MOL, np.asarray(
            evaluation.forces
        ) / KJ_PER_MOL_PER_NANOMETRE

    @property
    def engine(self) -> Engine:
        """Made at the first call, so that unpickling cannot fail: OpenMM would not survive it."""
        if self._engine is None:
            potential = from_bytes(self._model, "the model inside the force")
            self._engine = create_engine(potential, self._engine_name, **self._options)
        return self._engine

    def _structure(self, state: openmm.State) -> Structure:
        # the Quantity's number as it is: asking it to convert takes longer than all of the rest
        positions_nm = state.getPositions(asNumpy=True)._value  # noqa: SLF001
        positions, cell = positions_nm * NANOMETRE, np.zeros((3, 3))
        if self._species.periodic:
            cell = state.getPeriodicBoxVectors(asNumpy=True)._value * NANOMETRE  # noqa: SLF001
        if self._last is None:
            self._last = Structure(positions, self._numbers, cell, self._pbc)
        return self._last.moved(positions, cell if self._species.periodic else None)

    def __reduce__(self) -> tuple[Any, ...]:
        # The token is for `monitor` to find; a copy gets a new one.
        arguments = (self._species.atomic_numbers.tolist(), self._species.periodic)
        return restore, (
            *arguments,
            self._model,
            self._engine_name,
            self._options,
            self.monitor.token,
        )


def restore(
    numbers: list[int], periodic: bool, model: bytes, engine: str, options: dict[str, Any], _: str
) -> EngineCallback:
    """Unpickle a callback; serialised systems name this function, so it keeps its place."""
    return EngineCallback(Species(np.array(numbers, np.int64), periodic), model, engine, options)


def create_python_force(
    potential: Potential, species: Species, engine: str, options: dict[str, Any]
) -> openmm.PythonForce:
    """The force; see `routes.create_force`. An atomic number of 0 leaves a particle out."""
    callback = EngineCallback(species, to_bytes(potential), engine, options)
    _ = callback.engine  # refuse now what this engine refuses
    force = openmm.PythonForce(callback)
    if callback.particles is not None:
        force.setParticles(callback.particles.tolist())
    force.setUsesPeriodicBoundaryConditions(species.periodic)
    force.setName("NNP")
    remember(force, callback)
    return force
