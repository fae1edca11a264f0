"""Potentials, boxes, clocks and options that all parts of a GPU measurement share."""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ase.units
import numpy as np
from ase.build import bulk, molecule

import nnp
from nnp.bench import replicated
from nnp.cutoffs import CutoffKind
from nnp.functions import (
    Argument,
    MomentPair,
    MomentSum,
    MomentTriple,
    RadialSeries,
    canonical_order,
)
from nnp.io.structures import read_structures
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure, as_structure
from nnp.testing import random_potential

WARM_UP = 3
COSINE = (CutoffKind.COSINE,)  # one for all functions: n2p2 takes no other potential


def options_of(description: str, *names: str) -> tuple[argparse.Namespace, Result]:
    """The options of a part (``names``: its own, flags with dashes), and where results go."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for name in names:
        parser.add_argument(name, **({"action": "store_true"} if name.startswith("-") else {}))
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--engine", default="gpu")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    return options, Result(options.json)


def dtypes_of(options: argparse.Namespace) -> tuple[str, ...]:
    """Precisions to measure."""
    return ("single",) if options.small else ("single", "float32", "float64")


class Result:
    """A JSON file that is whole after every change."""

    def __init__(self, path: Path) -> None:
        self._path, self._content = path, {}

    def __setitem__(self, name: str, value: Any) -> None:
        self._content[name] = value
        self._write()

    def row(self, **values: Any) -> None:
        """One line of the part's table."""
        self._content.setdefault("rows", []).append(values)
        print(values, flush=True)
        self._write()

    def skip(self, why: str) -> None:
        """End here: nothing can be found out on this machine."""
        self["skipped"] = why
        raise SystemExit(0)

    def _write(self) -> None:
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(self._content, indent=1) + "\n")
        scratch.replace(self._path)


def potential_of(name: str, small: bool) -> tuple[nnp.Potential, str]:
    """A subject's: real, of the same size, or one that compiles fast; and which.

    ``water`` and ``silicon`` are Behler's functions, ``nep`` is water by functions of moments.
    """
    if name == "nep":
        size = (3.0, 2, 2) if small else (6.0, 5, 4)
        return _moments(*size), "of a NEP's size, at random"
    elements = {"water": ("H", "O"), "silicon": ("Si",)}[name]
    if small:
        small_one = random_potential(elements, 1, ("radial",), COSINE, radius=3.0)
        return small_one, "a small one, at random"
    data = os.environ.get("NNP_REFERENCE_DATA")
    if data:
        folder = {"water": "n2p2/H2O_RPBE-D3", "silicon": "mlearn/Si/potential"}[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the units are what they are taken for
            return nnp.load(Path(data) / folder), folder
    families = ("radial", "angular_narrow") if name == "silicon" else ("radial", "angular_wide")
    radius = {"water": 6.35, "silicon": 5.2}[name]
    return random_potential(elements, 1, families, COSINE, radius=radius), "of that size, at random"


def _moments(radius: float, n: int, l_max: int) -> nnp.Potential:
    """2-, 3- and 4-body functions as NEP has them, with the networks of a random potential."""
    rng, elements, models = np.random.default_rng(2), ("H", "O"), []
    for model in random_potential(elements, 1, ("radial",), COSINE).models:
        far, near = (
            RadialSeries(
                Argument.SQUARE,
                CutoffKind.COSINE,
                0.0,
                elements,
                (r, r),
                tuple(rng.normal(0, 0.2, (2, n, 9)).tolist()),
            )
            for r in (radius, radius * 2 / 3)
        )
        sums = [MomentSum(far, 1.0, k) for k in range(n)]
        pairs = [MomentPair(near, 1.0, k, k, d) for d in range(1, l_max + 1) for k in range(n)]
        four_body = [MomentTriple(near, 1.0, k, k, k, 2, 2, 2) for k in range(n)]
        functions = tuple(canonical_order([*sums, *pairs, *four_body]))
        width = len(functions)
        ends = [np.full(width, x) for x in (-1.0, 1.0, 0.0, 1.0)]
        scaling = Scaling(*ends, ScalingMode.SCALE)
        _, *weights = model.network.weights
        first = rng.normal(0, width**-0.5, (width, len(model.network.biases[0])))
        network = replace(model.network, weights=(first, *weights))
        models.append(replace(model, functions=functions, scaling=scaling, network=network))
    return nnp.Potential(tuple(models))


def box_of(name: str, atoms: int) -> Structure:
    """So many atoms or a few more."""
    if name == "silicon":
        crystal = bulk("Si", cubic=True)
        crystal = crystal * (2, 2, 2) if atoms >= 64 else crystal
        crystal.rattle(0.05, seed=1)
        return replicated(as_structure(crystal), atoms)
    data = os.environ.get("NNP_REFERENCE_DATA")
    path = Path(data) / "n2p2/H2O_RPBE-D3/input.data" if data else None
    if path is not None and path.is_file() and atoms >= 1000:
        (frame,) = read_structures(path, potential_of("water", False)[0].units, 0)
        return replicated(as_structure(frame), atoms)
    return replicated(_water(min(atoms, 3000)), atoms)


def _water(atoms: int) -> Structure:
    """Molecules on a cubic grid at 1 g/cm³, each turned at random."""
    rng, edge = np.random.default_rng(1), max(1, round((atoms / 3) ** (1 / 3)))
    spacing = (18.015 * ase.units._amu * 1e3 / 1e-24) ** (1 / 3)  # noqa: SLF001
    unit = molecule("H2O")
    unit.set_cell(np.eye(3) * spacing)
    unit.pbc = True
    grid = unit * (edge, edge, edge)
    for first in range(0, len(grid), 3):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        middle = grid.positions[first].copy()
        grid.positions[first : first + 3] = (grid.positions[first : first + 3] - middle) @ turn
        grid.positions[first : first + 3] += middle
    return as_structure(grid)


class CudaClock:
    """CUDA events on CuPy's current stream; arrays of CuPy."""

    def __init__(self, engine: Any) -> None:
        import cupy

        self._cupy, self.name = cupy, engine.target

    def array(self, values: np.ndarray) -> Any:
        """On the GPU."""
        return self._cupy.asarray(values)

    def finish(self) -> None:
        """Wait for all that was started."""
        self._cupy.cuda.get_current_stream().synchronize()

    def seconds(self, calls: Callable[[], Any]) -> float:
        """From before to after what ``calls`` starts, on the GPU."""
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        start.record()
        calls()
        end.record()
        end.synchronize()
        return 1e-3 * float(self._cupy.cuda.get_elapsed_time(start, end))

    def recorded(self, step: Callable[[], None]) -> Callable[[], None]:
        """The step as a graph."""
        with self._cupy.cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            step()
            graph = stream.end_capture()
        return lambda: graph.launch(self._cupy.cuda.get_current_stream())

    def bytes(self) -> int:
        """In use."""
        return int(self._cupy.get_default_memory_pool().used_bytes())


class HostClock:
    """The same with PyOpenCL, by the clock on the wall: for rehearsals."""

    def __init__(self, engine: Any) -> None:
        self._queue, self.name = engine.device.queue, engine.target

    def array(self, values: np.ndarray) -> Any:
        """On the device."""
        import pyopencl.array

        return pyopencl.array.to_device(self._queue, np.ascontiguousarray(values))

    def finish(self) -> None:
        """Wait for all that was started."""
        self._queue.finish()

    def seconds(self, calls: Callable[[], Any]) -> float:
        """From before to after what ``calls`` starts."""
        self.finish()
        start = time.perf_counter()
        calls()
        self.finish()
        return time.perf_counter() - start

    def recorded(self, step: Callable[[], None]) -> Callable[[], None]:
        """The step itself: OpenCL records nothing."""
        return step

    def bytes(self) -> int:
        """Unknown."""
        return 0


def clock_of(engine: Any) -> Any:
    """The clock of an engine's device."""
    return CudaClock(engine) if engine.device.dialect == "cuda" else HostClock(engine)


def quartiles(seconds: list[float]) -> dict[str, float]:
    """Median and quartiles in µs, without the warm-up."""
    low, middle, high = np.percentile(1e6 * np.array(seconds[WARM_UP:]), [25, 50, 75])
    return {"us": float(middle), "us_low": float(low), "us_high": float(high)}
