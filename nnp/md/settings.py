"""What a molecular dynamics run is told; checked before anything starts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nnp.errors import OptionError
from nnp.values import require_number, require_whole

ENSEMBLES = ("nve", "nvt", "npt")
THERMOSTATS = ("langevin", "nose-hoover", "andersen")
BAROSTATS = ("isotropic", "anisotropic", "membrane", "flexible")

# fs. Langevin: one over the friction, slow enough to leave the dynamics alone; Andersen: between
# two collisions of an atom, likewise. Nosé-Hoover: must not be far from the periods of the atoms'
# own vibrations, or it does not couple.
_RELAXATION_TIME = {"langevin": 1000.0, "nose-hoover": 100.0, "andersen": 1000.0}
# fs; the fastest vibrations of atoms last 9 (O-H) to 100 fs, and no integrator follows one in fewer
# than some steps.
LONGEST_TIMESTEP = 10.0
# Steps between two changes of a ramp's temperature or pressure.
RAMP_INTERVAL = 10
LARGEST_SEED = 2**31 - 1
MOST_STEPS = 10**12  # three years at 100 µs a step
# What is counted, from where on.
_COUNTS = {
    "steps": 0,
    "max_extrapolations": 0,
    "barostat_interval": 1,
    "log_interval": 1,
    "frame_interval": 1,
    "restart_interval": 1,
    "select_interval": 1,
    "select_most": 1,
    "seed": 1,
}

# What only some ensembles use; ``temperature`` is of the first velocities, too.
_OF_BAROSTAT = ("barostat", "pressure", "pressure_end", "barostat_interval", "surface_tension")
_OF_THERMOSTAT = ("thermostat", "temperature_end", "relaxation_time")
_OF_SELECTION = ("select_above", "select_most")

_MAY_BE_NONE = ("max_extrapolations", "select_interval")
_BOUNDS = {
    "max_temperature": "K",
    "max_speed": "Å/fs",
    "max_energy_drift": "eV/atom",
    "stop_on_spread": "eV/Å",
    "select_above": "eV/Å",
}


@dataclass(frozen=True)
class MDSettings:
    """Ensemble, numbers and intervals of a run.

    Attributes:
        ensemble: ``nve``, ``nvt`` or ``npt``.
        thermostat: ``langevin`` (LangevinMiddle), ``nose-hoover`` or ``andersen``; not used by nve.
        barostat: ``isotropic``, ``anisotropic`` (each edge of a rectangular box), ``membrane`` (x
            and y together, z separately) or ``flexible`` (shape too): OpenMM's Monte Carlo
            barostats; used by npt.
        temperature: K; of the thermostat and of the initial velocities.
        temperature_end: K; end of a linear ramp of the temperature; None: no ramp.
        pressure: bar; of npt.
        pressure_end: bar; end of a linear ramp of the pressure; None: no ramp.
        ramp_steps: length of the ramps from the start of the run; None: all ``steps``.
        surface_tension: bar nm; of the barostat ``membrane``.
        timestep: fs, at most 10.
        steps: of the whole run, including those before a restart.
        seed: of velocities, thermostat and barostat; 1 to 2³¹ − 1.
        relaxation_time: of the thermostat, fs; None: 1000 (langevin: friction 1/ps; andersen:
            between two collisions of an atom) or 100 (nose-hoover).
        barostat_interval: steps between two attempts to change the volume.
        log_interval: steps between two rows of the log.
        frame_interval: steps between two frames of the trajectory.
        restart_interval: steps between two restart files.
        max_extrapolations: the run stops if more atoms than this extrapolate at once, checked with
            each row of the log; None: half of the atoms, but at least 10, and the worst by more
            than a tenth of its range.
        max_temperature: the run stops above it, K; None: ten times the temperature of the settings
            or the start, at least of 1,000 K, and more for few atoms, see `nnp.limits`.
        max_speed: the run stops if an atom is faster, Å/fs; None: half an Å in a step.
        max_energy_drift: the run stops if the total energy of an nve run is further from its
            start, eV per atom.
        stop_on_spread: the run stops if a committee's forces on an atom spread further, eV/Å,
            checked with each row and selection; None: never.
        select_interval: steps between two checks whether the structure should be labelled, see
            `nnp.md.selection`; None: no selection.
        select_above: spread of a committee's forces above which it should, eV/Å.
        select_most: largest number of selected structures.
        keep_going: whether the run continues beyond these bounds, with a warning; non-finite
            values always stop it.

    Raises:
        OptionError: a value is not allowed.
    """

    ensemble: str = "nvt"
    thermostat: str = "langevin"
    barostat: str = "isotropic"
    temperature: float = 300.0
    temperature_end: float | None = None
    pressure: float = 1.0
    pressure_end: float | None = None
    ramp_steps: int | None = None
    surface_tension: float = 0.0
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
    stop_on_spread: float | None = None
    select_interval: int | None = None
    select_above: float = 0.1
    select_most: int = 100
    keep_going: bool = False

    def __post_init__(self) -> None:
        _one_of("ensemble", self.ensemble, ENSEMBLES)
        _one_of("thermostat", self.thermostat, THERMOSTATS)
        _one_of("barostat", self.barostat, BAROSTATS)
        require_number("temperature", self.temperature, 0, " K, without a unit")
        require_number("pressure", self.pressure, -math.inf, ", in bar")
        require_number("surface_tension", self.surface_tension, -math.inf, ", in bar nm")
        self._check_ramp()
        _above_zero("timestep", self.timestep, "fs", ", such as 1 with hydrogen, 2 without")
        if self.timestep > LONGEST_TIMESTEP and not self.keep_going:
            raise OptionError(
                f"timestep={self.timestep:g} fs: bonds vibrate in 10 to 100 fs, and a run would "
                f"explode: up to {LONGEST_TIMESTEP:g} fs (1 with hydrogen, 2 to 5 "
                "without), more with keep_going=True (--keep-going)"
            )
        _above_zero("relaxation_time", self.thermostat_time, "fs")
        for name, unit in _BOUNDS.items():
            if getattr(self, name) is not None:
                _above_zero(name, getattr(self, name), unit)
        if self.ensemble != "nve" and self.temperature == 0:
            raise OptionError(
                f"temperature=0 with ensemble={self.ensemble!r}: it must be positive; nve can "
                "begin without motion"
            )
        for name, least in _COUNTS.items():
            if name not in _MAY_BE_NONE or getattr(self, name) is not None:
                require_whole(name, getattr(self, name), least)
        if self.steps > MOST_STEPS:
            raise OptionError(f"steps={self.steps:.3g}: at most {MOST_STEPS:.0e}, which take years")
        if self.seed > LARGEST_SEED:
            raise OptionError(f"seed={self.seed} is not in 1 to {LARGEST_SEED}")

    def _check_ramp(self) -> None:
        end = self.temperature_end
        if end is not None:
            require_number("temperature_end", end, 0, " K, without a unit")
            if self.ensemble == "nve" or end == 0:
                raise OptionError(
                    f"temperature_end={end:g} K with ensemble={self.ensemble!r}: a ramp needs a "
                    "thermostat (nvt, npt) and a temperature above zero"
                )
        if self.pressure_end is not None:
            require_number("pressure_end", self.pressure_end, -math.inf, ", in bar")
            if self.ensemble != "npt":
                raise OptionError(
                    f"pressure_end={self.pressure_end:g} bar with ensemble={self.ensemble!r}: a "
                    "ramp of the pressure needs a barostat: ensemble='npt'"
                )
        if self.ramp_steps is not None:
            require_whole("ramp_steps", self.ramp_steps, 1, ", or None")

    def require_use_of(self, names: Iterable[str]) -> None:
        """Refuse options that would have no effect.

        Args:
            names: attributes that were given.

        Raises:
            OptionError: nothing uses one of them.
        """
        for name in names:
            if lack := self.lack_of(name):
                raise OptionError(f"{name}={getattr(self, name)!r} {lack}, or leave it out")

    def lack_of(self, name: str) -> str | None:
        """What an option needs and the run does not have, with the way out; None if it is used."""
        ensemble = self.ensemble
        if name == "barostat" and ensemble != "npt":
            found = f"changes the box, which ensemble={ensemble!r} keeps: add ensemble='npt' "
            return found + "(--ensemble npt)"
        if name == "thermostat" and ensemble == "nve":
            return "holds a temperature, and ensemble='nve' holds the energy: use nvt"
        if name in _OF_BAROSTAT and ensemble != "npt":
            found = f"needs a barostat, and ensemble={ensemble!r} has none: add ensemble='npt' "
            return found + "(--ensemble npt)"
        if name == "surface_tension" and self.barostat != "membrane":
            found = f"is of a membrane, and barostat={self.barostat!r} has none: add "
            return found + "barostat='membrane' (--barostat membrane)"
        if name in _OF_THERMOSTAT and ensemble == "nve":
            return "needs a thermostat, and ensemble='nve' has none: use nvt"
        if name == "max_energy_drift" and ensemble != "nve":
            return f"bounds the energy of nve, and ensemble={ensemble!r} does not keep it: use nve"
        if name == "ramp_steps" and not self.ramps:
            return "is of a ramp: say where it ends, temperature_end (--temperature-end)"
        if name in _OF_SELECTION and self.select_interval is None:
            return "is of a selection: say how often to look, select_interval (--select-every)"
        return None

    @property
    def ramps(self) -> bool:
        """Whether temperature or pressure change during the run."""
        return self.temperature_end is not None or self.pressure_end is not None

    def temperature_at(self, step: int) -> float:
        """Temperature of the thermostat at a step, K; constant for ``RAMP_INTERVAL`` steps.

        Examples:
            >>> heat = MDSettings(temperature=10, temperature_end=300, steps=1000)
            >>> heat.temperature_at(0), heat.temperature_at(505), heat.temperature_at(2000)
            (10.0, 155.0, 300.0)
        """
        return self._between(self.temperature, self.temperature_end, step)

    def pressure_at(self, step: int) -> float:
        """Pressure of the barostat at a step, bar, as `temperature_at`."""
        return self._between(self.pressure, self.pressure_end, step)

    def _between(self, begin: float, end: float | None, step: int) -> float:
        if end is None:
            return float(begin)
        whole = max(self.ramp_steps or self.steps, 1)
        done = min(step // RAMP_INTERVAL * RAMP_INTERVAL, whole)
        return begin + (end - begin) * done / whole

    @property
    def hottest(self) -> float:
        """Highest temperature of the thermostat, K; 0 without one."""
        return 0.0 if self.ensemble == "nve" else max(self.temperature, self.temperature_end or 0.0)

    @property
    def thermostat_time(self) -> float:
        """Relaxation time of the thermostat, fs."""
        default = _RELAXATION_TIME[self.thermostat]
        return default if self.relaxation_time is None else self.relaxation_time

    @property
    def used(self) -> dict[str, Any]:
        """Settings that the dynamics of this ensemble depends on, by name.

        Examples:
            >>> MDSettings(ensemble="nve").used
            {'ensemble': 'nve', 'timestep': 1.0}
        """
        names = ["ensemble", "timestep"]
        if self.ensemble != "nve":
            names += ["thermostat", "temperature", "thermostat_time"]
        if self.ensemble == "npt":
            names += ["barostat", "pressure", "barostat_interval"]
            if self.barostat == "membrane":
                names += ["surface_tension"]
        if self.ramps:
            ends = ("temperature_end", "pressure_end")
            names += [name for name in ends if getattr(self, name) is not None]
            names += ["ramp_steps"]
        return {name: getattr(self, name) for name in names}

    @property
    def description(self) -> str:
        """Summary in one line.

        Examples:
            >>> MDSettings().description
            'NVT (langevin, 300 K), 10000 steps of 1 fs'
        """
        how = []
        if self.ensemble != "nve":
            how.append(f"{self.thermostat}, {_range(self.temperature, self.temperature_end)} K")
        if self.ensemble == "npt":
            how.append(f"{self.barostat}, {_range(self.pressure, self.pressure_end)} bar")
        inside = f" ({', '.join(how)})" if how else ""
        return f"{self.ensemble.upper()}{inside}, {self.steps} steps of {self.timestep:g} fs"


def _range(begin: float, end: float | None) -> str:
    return f"{begin:g}" if end is None else f"{begin:g} → {end:g}"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise OptionError(f"{name}={value!r} is unknown: allowed are {', '.join(allowed)}")


def _above_zero(name: str, value: float, unit: str, hint: str = "") -> None:
    require_number(name, value, -math.inf, f", in {unit}")
    if value <= 0:
        raise OptionError(f"{name}={value} {unit} is not allowed: it must be positive{hint}")
