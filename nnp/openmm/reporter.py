"""An OpenMM reporter of the atoms outside the training range."""

from __future__ import annotations

import contextlib
import weakref
from pathlib import Path
from typing import Any, TextIO

import openmm

from nnp.errors import NumericalError, OptionError
from nnp.evaluation import Extrapolation
from nnp.io.files import refused
from nnp.openmm.monitor import Monitor, monitor, monitors
from nnp.openmm.native_monitor import NativeMonitor
from nnp.values import require_whole

COLUMNS = (
    "step",
    "extrapolating_atoms",
    "worst_atom",
    "worst_element",
    "worst_function",
    "worst_excess_percent",
)


class ExtrapolationReporter:
    """Writes the number of atoms outside the training range, and the worst, at an interval.

    A row reports the last evaluation, for any route; nothing is computed or copied for it. Most
    integrators evaluate before they move the atoms, so a row belongs to the positions one step ago;
    if another reporter asks for energies or forces at the same step, to the present ones. Atoms are
    counted from 0, functions of the atom's element from 1 as in ``nnp info``. The excess is in
    percent of the function's training range, negative below it. If no atom extrapolates, the cells
    after the count are empty.

    Args:
        file: a path, which is overwritten, or an open text file such as ``sys.stdout``.
        report_interval: steps between rows.
        force: the force to report on, made by `nnp.openmm.create_force`; None: the only one of the
            System.
        append: whether to append to the file of this path.
        separator: between cells.
        max_extrapolations: end the run with an error at the first row with more atoms; None: never.

    Raises:
        OptionError: an interval below 1, a limit below 0, ``append`` with an open file, or not a
            file; at the first report, a System without a force of ours, or with several and none
            named.
        NNPError: the file system refuses.
        NumericalError: from ``simulation.step``, when the limit is passed; the row is written.

    Examples:
        >>> simulation.reporters.append(  # doctest: +SKIP
        ...     ExtrapolationReporter("extrapolations.csv", 100, max_extrapolations=10)
        ... )
    """

    def __init__(
        self,
        file: str | Path | TextIO,
        report_interval: int,
        force: openmm.Force | None = None,
        append: bool = False,
        separator: str = ",",
        max_extrapolations: int | None = None,
    ) -> None:
        self._interval = require_whole("report_interval", report_interval, 1)
        self._limit = max_extrapolations
        if max_extrapolations is not None:
            self._limit = require_whole("max_extrapolations", max_extrapolations, 0, ", or None")
        self._separator = separator
        self._symbols: list[str] | None = None
        self._monitor = None if force is None else monitor(force)
        self._out: Any = file
        if isinstance(file, str | Path):
            self._out = _opened(Path(file), append)
            weakref.finalize(self, _close, self._out)
        elif append or not hasattr(file, "write"):
            raise OptionError(
                f"file={file!r} with append={append}: give the path of a file, or an open text "
                "file, which is continued in any case"
            )
        self._headed = append and self._out.tell() > 0

    def describeNextReport(self, simulation: Any) -> dict[str, Any]:  # noqa: N802  OpenMM's name
        """Steps until the next row; nothing of the state is needed."""
        steps = self._interval - simulation.currentStep % self._interval
        return {"steps": steps, "periodic": None, "include": []}

    def report(self, simulation: Any, state: openmm.State) -> None:  # noqa: ARG002  OpenMM's signature
        """Write a row.

        Raises:
            NumericalError: more atoms extrapolate than are allowed.
        """
        if self._monitor is None:
            self._monitor = _only_monitor(simulation.system)
        count, worst = self._monitor.count, self._monitor.worst
        element = "" if worst is None else self._element(simulation.topology, worst.atom)
        if not self._headed:
            self._write(COLUMNS)
            self._headed = True
        self._write((simulation.currentStep, count, *_cells(worst, element)))
        if self._limit is not None and count > self._limit:
            raise NumericalError(
                _complaint(simulation.currentStep, count, self._limit, worst, element)
            )

    def _element(self, topology: Any, index: int) -> str:
        """Symbol of an atom's element, empty where the topology has none."""
        if self._symbols is None:
            elements = [atom.element for atom in topology.atoms()]
            self._symbols = ["" if element is None else element.symbol for element in elements]
        return self._symbols[index]

    def _write(self, cells: tuple[Any, ...]) -> None:
        try:
            self._out.write(self._separator.join(map(str, cells)) + "\n")
            self._out.flush()  # a run that dies has its rows
        except OSError as error:
            raise refused(Path(getattr(self._out, "name", "the report")), error) from error


def _opened(path: Path, append: bool) -> TextIO:
    try:
        return path.open("a" if append else "w", encoding="utf-8")
    except OSError as error:
        raise refused(path, error) from error


def _close(file: TextIO) -> None:
    with contextlib.suppress(OSError):  # rows that met a full disk: said when they were written
        file.close()


def _only_monitor(system: openmm.System) -> Monitor | NativeMonitor:
    found = monitors(system)
    if len(found) != 1:
        raise OptionError(
            f"the System has {len(found) or 'no'} forces of nnp.openmm.create_force: give "
            "ExtrapolationReporter the force to watch"
        )
    return found[0]


def _cells(worst: Extrapolation | None, element: str) -> tuple[Any, ...]:
    if worst is None:
        return ("",) * 4
    return worst.atom, element, worst.function + 1, f"{100 * worst.relative:.3f}"


def _complaint(step: int, count: int, limit: int, worst: Extrapolation | None, element: str) -> str:
    sentence = f"step {step}: {count} atoms extrapolate, more than max_extrapolations={limit}"
    if worst is not None:
        sentence += (
            f"; the worst is atom {worst.atom} ({element}), function {worst.function + 1} by "
            f"{100 * worst.relative:+.1f} % of its training range"
        )
    return sentence + ": train on such structures, take a smaller time step, or allow more"
