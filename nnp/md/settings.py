"""What a molecular dynamics run is told; checked before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nnp.errors import OptionError
from nnp.values import require_number, require_whole

ENSEMBLES = ("nve", "nvt", "npt")
THERMOSTATS = ("langevin", "nose-hoover")
BAROSTATS = ("isotropic", "anisotropic", "flexible")

# fs. Langevin: one over the friction, slow enough to leave the dynamics alone. Nosé-Hoover: must
# not be far from the periods of the atoms' own vibrations, or it does not couple.
_RELAXATION_TIME = {"langevin": 1000.0, "nose-hoover": 100.0}
LARGEST_SEED = 2**31 - 1
# What is counted, from where on.
_COUNTS = {
    "steps": 0,
    "max_extrapolations": 0,
    "barostat_interval": 1,
    "log_interval": 1,
    "frame_interval": 1,
    "restart_interval": 1,
    "seed": 1,
}

_BOUNDS = {"max_temperature": "K", "max_speed": "Å/fs", "max_energy_drift": "eV/atom"}


@dataclass(frozen=True)
class MDSettings:
    """Ensemble, numbers and intervals of a run.

    Attributes:
        ensemble: ``nve``, ``nvt`` or ``npt``.
        thermostat: ``langevin`` or ``nose-hoover``; not used by nve.
        barostat: ``isotropic``, ``anisotropic`` (each edge of a rectangular box for itself) or
            ``flexible`` (shape too): OpenMM's Monte Carlo barostats; used by npt.
        temperature: K; of the thermostat and of the initial velocities.
        pressure: bar.
        timestep: fs.
        steps: of the whole run, those before a restart included.
        seed: of velocities, thermostat and barostat; 1 to 2³¹ − 1.
        relaxation_time: of the thermostat, fs; None: 1000 (langevin: friction 1/ps) or 100
            (nose-hoover).
        barostat_interval: steps between two attempts to change the volume.
        log_interval: steps between two rows of the log.
        frame_interval: steps between two frames of the trajectory.
        restart_interval: steps between two restart files.
        max_extrapolations: the run stops when more atoms than these extrapolate at once, looked
            at with each row of the log; None: half of the atoms, but no less than 10.
        max_temperature: the run stops above it, K; None: ten times the temperature of the settings
            or the start, at least of 1,000 K, and more for few atoms, see `nnp.limits`.
        max_speed: the run stops when an atom is faster, Å/fs; None: half an Å in a step.
        max_energy_drift: the run stops when an nve run's total energy is so far from where it
            began, eV per atom.
        keep_going: whether the run goes on beyond these four, with a warning; what is not finite
            always stops it.

    Raises:
        OptionError: a value is not allowed.
    """

    ensemble: str = "nvt"
    thermostat: str = "langevin"
    barostat: str = "isotropic"
    temperature: float = 300.0
    pressure: float = 1.0
    timestep: float = 1.0
    steps: int = 10_000
    seed: int = 1
    relaxation_time: float | None = None
    barostat_interval: int = 25
    log_interval: int = 100
    frame_interval: int = 100
    restart_interval: int = 1000
    max_extrapolations: int | None = None
    max_temperature: float | None = None
    max_speed: float | None = None
    max_energy_drift: float = 0.1
    keep_going: bool = False

    def __post_init__(self) -> None:
        _one_of("ensemble", self.ensemble, ENSEMBLES)
        _one_of("thermostat", self.thermostat, THERMOSTATS)
        _one_of("barostat", self.barostat, BAROSTATS)
        require_number("temperature", self.temperature, 0, " K, without a unit")
        require_number("pressure", self.pressure, -math.inf, ", in bar")
        _above_zero("timestep", self.timestep, "fs")
        _above_zero("relaxation_time", self.thermostat_time, "fs")
        for name, unit in _BOUNDS.items():
            if getattr(self, name) is not None:
                _above_zero(name, getattr(self, name), unit)
        if self.ensemble != "nve" and self.temperature == 0:
            raise OptionError(f"temperature=0 with ensemble={self.ensemble!r}: it must be positive")
        for name, least in _COUNTS.items():
            if name != "max_extrapolations" or self.max_extrapolations is not None:
                require_whole(name, getattr(self, name), least)
        if self.seed > LARGEST_SEED:
            raise OptionError(f"seed={self.seed} is not in 1 to {LARGEST_SEED}")

    @property
    def thermostat_time(self) -> float:
        """Relaxation time of the thermostat, fs."""
        default = _RELAXATION_TIME[self.thermostat]
        return default if self.relaxation_time is None else self.relaxation_time

    @property
    def used(self) -> dict[str, Any]:
        """Those that the dynamics of this ensemble depends on, by name.

        >>> MDSettings(ensemble="nve").used
        {'ensemble': 'nve', 'timestep': 1.0}
        """
        names = ["ensemble", "timestep"]
        if self.ensemble != "nve":
            names += ["thermostat", "temperature", "thermostat_time"]
        if self.ensemble == "npt":
            names += ["barostat", "pressure", "barostat_interval"]
        return {name: getattr(self, name) for name in names}

    @property
    def description(self) -> str:
        """One line for people.

        >>> MDSettings().description
        'NVT (langevin, 300 K), 10000 steps of 1 fs'
        """
        how = []
        if self.ensemble != "nve":
            how.append(f"{self.thermostat}, {self.temperature:g} K")
        if self.ensemble == "npt":
            how.append(f"{self.barostat}, {self.pressure:g} bar")
        inside = f" ({', '.join(how)})" if how else ""
        return f"{self.ensemble.upper()}{inside}, {self.steps} steps of {self.timestep:g} fs"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise OptionError(f"{name}={value!r} is unknown: allowed are {', '.join(allowed)}")


def _above_zero(name: str, value: float, unit: str) -> None:
    require_number(name, value, -math.inf, f", in {unit}")
    if value <= 0:
        raise OptionError(f"{name}={value} {unit} is not allowed: it must be positive")
