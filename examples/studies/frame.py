"""What all studies share: arguments, folder of results, record of a run, look of the pictures.

    study = begin(__doc__, needs=("tblite",))
    ...
    study.picture("loss", figure)
    study.finish({"energy MAE / meV/atom": 1.2})

Quick by default; ``--full`` makes the tables and pictures of ``docs/studies``. Everything goes
into ``--output``: pictures, files of runs (in ``work``), and ``results.json`` with the numbers,
command, machine, commit and time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnp.bench import machine
from nnp.errors import UnavailableError
from nnp.io.files import replacing
from nnp.pictures.figure import STYLE, save_figure

_ADVICE = "pip install 'nnp-md[torch,studies]' brings what the studies need"
_WIDTH = 3.4  # inches of one panel
_HEIGHT = 2.6
_ROW = 0.25  # of a legend
_LINEAR_BELOW = 3.0  # largest over smallest value that still go on a linear axis


@dataclass(frozen=True)
class Study:
    """One run of a study.

    Attributes:
        name: of the script.
        full: whether everything is run.
        folder: of all results.
        began: seconds, of `time.perf_counter`.
        cpu_began: seconds, of `time.process_time`.
    """

    name: str
    full: bool
    folder: Path
    began: float = field(default_factory=time.perf_counter)
    cpu_began: float = field(default_factory=time.process_time)

    @property
    def work(self) -> Path:
        """Folder of what is not for showing: trajectories, labels, networks."""
        path = self.folder / "work"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def picture(self, name: str, figure: Any) -> None:
        """Write a figure as a PNG."""
        path = self.folder / f"{name}.png"
        save_figure(figure, path)
        print(f"picture  {path}")

    def finish(self, numbers: dict[str, Any]) -> None:
        """Write ``results.json``."""
        record = {
            "command": shlex.join(["python", f"examples/studies/{self.name}.py", *sys.argv[1:]]),
            "mode": "full" if self.full else "quick",
            "machine": machine(),
            "seconds": round(time.perf_counter() - self.began, 1),
            "cpu_seconds": round(time.process_time() - self.cpu_began, 1),
            "numbers": numbers,
        }
        path = self.folder / "results.json"
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        with replacing(path, force=True) as part:
            part.write_text(text, encoding="utf-8")
        print(f"numbers  {path}, {record['seconds']:.0f} s")


def begin(description: str | None, needs: tuple[str, ...] = ()) -> Study:
    """Read the arguments, check that packages are there, make the folder.

    Args:
        description: the script's docstring.
        needs: modules outside nnp's own dependencies.
    """
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="what docs/studies shows, in minutes")
    parser.add_argument("--output", type=Path, default=Path("studies") / name, metavar="FOLDER")
    arguments = parser.parse_args()
    for module in needs:
        importlib.import_module(module)  # what is missing is said before the work begins
    arguments.output.mkdir(parents=True, exist_ok=True)
    return Study(name, arguments.full, arguments.output)


def _say_what_is_missing(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """A sentence for a package that is missing, also when a study imports it before `begin`."""
    if isinstance(error, ModuleNotFoundError | UnavailableError):
        print(f"{Path(sys.argv[0]).stem}: {error}; {_ADVICE}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_what_is_missing


def panels(rows: int, columns: int, **options: Any) -> tuple[Any, Any]:
    """A figure and its axes, all of one size in all studies.

    Args:
        rows: of panels.
        columns: of panels.
        options: of ``Figure.subplots``.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    style.use(STYLE)
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def legend(figure: Any, axis: Any, columns: int = 0) -> None:
    """One legend for all panels, below them, where it covers no data.

    Args:
        figure: of the panels.
        axis: the panel whose lines are named.
        columns: of the legend; 0: all in one row.
    """
    handles, names = axis.get_legend_handles_labels()
    columns = columns or len(names)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + _ROW * -(-len(names) // columns))
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def plain_log(axis: Any) -> None:
    """A logarithmic y axis with plain numbers that do not overlap; linear within a factor of 3."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_ylim()
    if high < _LINEAR_BELOW * low:
        axis.set_yscale("linear")
        return
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def table(header: list[str], rows: list[list[Any]]) -> str:
    """Rows as Markdown, as they stand in the pages and are readable on a terminal."""
    cells = [header, *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
