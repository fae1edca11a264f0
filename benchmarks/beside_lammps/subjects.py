"""What a comparison measures: a route of OpenMM, a pair style of a LAMMPS."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import openmm

from beside_lammps.openmm_md import DEVICES, OpenMMDynamics
from beside_lammps.suffixes import MIXED, ON_DEVICES, suffix_arguments
from beside_lammps.systems import MANY_BODY, OURS, script_of
from nnp.bench.agreement import Answer
from nnp.bench.lammps import TIME_LIMIT, forces_of_lammps, run_lammps
from nnp.bench.lammps_script import Conditions, runs
from nnp.errors import NNPError, UnavailableError
from nnp.io.lammps import in_our_axes
from nnp.potential import Potential
from nnp.structure import Structure


class Subject(Protocol):
    """One line of the table at one size: a program and what it runs."""

    name: str
    details: dict[str, Any]

    def prepare(self, structure: Structure) -> None:
        """Take another structure."""

    def answer(self, structure: Structure) -> Answer | None:
        """Energy and forces of a structure of the same atoms; None of a yardstick of cost."""

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

    def answer(self, structure: Structure) -> Answer:
        """Energy and forces."""
        single = self.options.get("dtype") == "float32" or (
            self.details["device"] and self.options.get("precision") != "double"
        )
        try:
            return Answer(*self._dynamics.forces(structure), single)
        except openmm.OpenMMException as error:
            raise NNPError(str(error)) from error

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step, wall clock and processor."""
        try:
            return self._dynamics.block(warm_up, steps)
        except openmm.OpenMMException as error:
            raise NNPError(str(error)) from error


def short_names(commands: Sequence[str]) -> list[str]:
    """Commands without their folders, which are nobody else's; with those that tell them apart.

    >>> short_names(["/home/me/cpu/lmp", "mpirun -np 2 /home/me/gpu/lmp", "/home/me/gpu/lmp"])
    ['cpu/lmp', 'mpirun -np 2 lmp', 'gpu/lmp']
    """
    parts = [[Path(word).parts for word in shlex.split(command)] for command in commands]
    return [_short(own, [p for p in parts if p != own]) for own in parts]


def _short(own: list[tuple[str, ...]], others: list[list[tuple[str, ...]]]) -> str:
    deepest = max(map(len, own), default=1)
    for depth in range(1, deepest + 1):
        name = [word[-depth:] for word in own]
        if name not in ([word[-depth:] for word in other] for other in others):
            break
    return " ".join("/".join(word) for word in name)


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

    def answer(self, structure: Structure) -> Answer | None:
        """Energy and forces of ``nnp`` and ``hdnnp``; the other styles are other potentials."""
        if self.style not in (*OURS, "hdnnp"):
            return None
        with tempfile.TemporaryDirectory() as folder:
            energy, forces = forces_of_lammps(
                self.command,
                self._script(Path(folder), structure),
                self._arguments(),
                self.threads,
                self.time_limit,
            )
        single = self.suffix in MIXED or OURS.get(self.style) == "float32"
        return Answer(energy, in_our_axes(structure, forces), single)

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step, by LAMMPS's own clock, and of its processors."""
        arguments = self._arguments()
        with tempfile.TemporaryDirectory() as folder:
            script = self._script(Path(folder), self._structure) + runs(warm_up, steps)
            found = run_lammps(self.command, script, arguments, self.threads, self.time_limit)
        if self.suffix and found.style == self.style:
            raise UnavailableError(
                f"{self.command}: this LAMMPS has no {self.suffix} variant of it"
            )
        self.details = {
            "program": "LAMMPS",
            "version": found.version,
            "command": short_names([self.command])[0],
        }
        self.details |= {"style": found.style or self.style, "arguments": arguments}
        self.details |= {"threads": found.processes, "n_atoms": found.n_atoms}
        self.details["device"] = self.suffix in ON_DEVICES
        if self.style != "lj/cut":  # whose units are reduced
            self.details["timestep_fs"] = self.conditions.timestep_fs
        return found.seconds[0], found.processor_seconds[0]

    def _script(self, folder: Path, structure: Structure) -> str:
        return script_of(self.style, folder, self.potential, self.path, structure, self.conditions)

    def _arguments(self) -> list[str]:
        many_body = self.style in MANY_BODY
        return [*suffix_arguments(self.suffix, self.threads, many_body), *self.arguments]
