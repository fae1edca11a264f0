"""What a comparison measures: a route of OpenMM, a pair style of a LAMMPS."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import openmm

from nnp.benchmark.lammps import ON_DEVICES, TIME_LIMIT, run_lammps, suffix_arguments
from nnp.benchmark.lammps_systems import MANY_BODY, Conditions, runs, script_of
from nnp.benchmark.openmm_md import DEVICES, OpenMMDynamics
from nnp.errors import NNPError, UnavailableError
from nnp.potential import Potential
from nnp.structure import Structure


class Subject(Protocol):
    """One line of the table at one size: a program and what it runs."""

    name: str
    details: dict[str, Any]

    def prepare(self, structure: Structure) -> None:
        """Take another structure."""

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step, wall clock and processor."""


@dataclass
class OpenMMSubject:
    """A route on a platform; options are those of `OpenMMDynamics`."""

    name: str
    potential: Potential
    conditions: Conditions
    options: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)

    def prepare(self, structure: Structure) -> None:
        """Make a Context."""
        self._dynamics = OpenMMDynamics(self.potential, structure, self.conditions, **self.options)
        self.details = {"program": "OpenMM", "version": openmm.version.short_version}
        self.details |= self.options | {"timestep_fs": self.conditions.timestep_fs}
        self.details["device"] = self.options.get("platform") in DEVICES

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step, wall clock and processor."""
        try:
            return self._dynamics.block(warm_up, steps)
        except openmm.OpenMMException as error:
            raise NNPError(str(error)) from error


def _names(command: str) -> str:
    """A command without its folders, which are nobody else's."""
    return " ".join(Path(word).name for word in shlex.split(command))


@dataclass
class LammpsSubject:
    """A pair style in a LAMMPS, perhaps one with a suffix."""

    name: str
    command: str
    style: str
    suffix: str
    threads: int
    potential: Potential
    path: Path
    conditions: Conditions
    arguments: Sequence[str] = ()
    time_limit: float = TIME_LIMIT
    details: dict[str, Any] = field(default_factory=dict)

    def prepare(self, structure: Structure) -> None:
        """Keep the structure."""
        self._structure = structure

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step, by LAMMPS's own clock, and of its processors."""
        many_body = self.style in MANY_BODY
        arguments = [*suffix_arguments(self.suffix, self.threads, many_body), *self.arguments]
        with tempfile.TemporaryDirectory() as folder:
            script = script_of(
                self.style,
                Path(folder),
                self.potential,
                self.path,
                self._structure,
                self.conditions,
            ) + runs(warm_up, steps)
            found = run_lammps(self.command, script, arguments, self.threads, self.time_limit)
        if self.suffix and found.style == self.style:
            raise UnavailableError(
                f"{self.command}: this LAMMPS has no {self.suffix} variant of it"
            )
        self.details = {
            "program": "LAMMPS",
            "version": found.version,
            "command": _names(self.command),
        }
        self.details |= {"style": found.style or self.style, "arguments": arguments}
        self.details |= {"threads": found.processes, "n_atoms": found.n_atoms}
        self.details["device"] = self.suffix in ON_DEVICES
        if self.style != "lj/cut":  # whose units are reduced
            self.details["timestep_fs"] = self.conditions.timestep_fs
        return found.seconds[0], found.processor_seconds[0]
