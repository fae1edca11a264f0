"""``nnp info --cost``: what an atom costs, by the cost model and by measurement."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

from nnp.cli.structures import add_structures, read_and_say, read_options
from nnp.cli.table import text_table
from nnp.engines.cost import PARTS, Cost
from nnp.engines.cpu import PRECISIONS, CpuEngine
from nnp.errors import OptionError
from nnp.potential import Potential
from nnp.structure import as_structure

_SECONDS = 1.0  # of measuring, for each precision


def add_cost(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--cost",
        nargs="?",
        const="",
        metavar="STRUCTURE",
        help="predict the cost of an atom, µs on one core (energy and forces, CPU engine), in a "
        "structure, or at the density of the training data",
    )
    parser.add_argument(
        "--measure", action="store_true", help="with --cost STRUCTURE: measure it too"
    )
    add_structures(parser)


def cost_report(potential: Potential, arguments: argparse.Namespace) -> Iterator[str]:
    """Lines of what ``--cost`` prints.

    Raises:
        OptionError: ``--measure`` without a structure.
    """
    from nnp.bench.cost import microseconds, predicted  # twice the time that nnp info takes

    structure = None
    if arguments.cost:
        options = read_options(arguments, potential.units)
        structure = as_structure(read_and_say(arguments.cost, options, 0).frames[0])
    elif arguments.measure:
        raise OptionError("--measure needs a structure: --cost STRUCTURE --measure")
    fitted = replace(potential, baseline=())
    engines = [CpuEngine(fitted, dtype, threads=1) for dtype in PRECISIONS]
    yield f"cost: µs per atom on one core, predicted for Zen 5 with {engines[0].target}"
    header = ["dtype", "element", "atoms", "neighbors", *PARTS, "predicted"]
    rows = []
    found = [(engine, engine.cost(structure)) for engine in engines]
    for engine, costs in found:
        rows += [_row(engine.dtype, cost) for cost in costs]
        if structure is not None:
            last = [f"{predicted(costs):.3g}"]
            if arguments.measure:
                last.append(f"{microseconds(engine, structure, _SECONDS):.3g}")
            rows.append([engine.dtype, "all", str(len(structure)), *[""] * (1 + len(PARTS)), *last])
    if arguments.measure:
        header.append("measured")
    yield text_table(header, [row + [""] * (len(header) - len(row)) for row in rows])
    for engine, costs in found:
        for cost in costs:
            if cost.n_wide:
                yield f"  {engine.dtype}, {cost.symbol}: {_ways(cost)}"


def _ways(cost: Cost) -> str:
    if cost.n_by_moments == cost.n_wide:
        return f"{cost.n_wide} wide functions as moments"
    return f"{cost.n_by_moments} of {cost.n_wide} wide functions as moments, the others by pairs"


def _row(dtype: str, cost: Cost) -> list[str]:
    parts = [f"{value:.3g}" if value else "" for value in cost.parts.values()]
    atoms = str(cost.n_atoms) if cost.n_atoms else ""
    return [dtype, cost.symbol, atoms, f"{cost.neighbors:.3g}", *parts, f"{cost.total:.3g}"]
