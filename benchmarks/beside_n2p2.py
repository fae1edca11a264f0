"""n2p2's library as a program that runs evaluations on request."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from nnp.io import n2p2
from nnp.io.n2p2.data import Frame, write_data
from nnp.potential import Potential
from nnp.structure import Structure


class Driver:
    """One potential and one structure in n2p2.

    The program is started with the potential's directory and an ``input.data``. It makes the
    neighbour list, prints the energy, and for every number N on its standard input evaluates
    energy and forces N times and prints their mean processor time in seconds, first on a line.
    """

    def __init__(self, program: str, potential: Potential, structure: Structure) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        n2p2.write(potential, folder / "potential")
        write_data([Frame(structure)], folder / "input.data", potential.units)
        command = [program, str(folder / "potential"), str(folder / "input.data")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.energy = float(self._line()) * potential.units.energy_in_ev

    def seconds(self, repeats: int) -> float:
        """Processor time of an evaluation."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{repeats}\n")
        self._process.stdin.flush()
        return float(self._line().split()[0])

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"n2p2 ended with {self._process.wait()}")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._folder.cleanup()
