"""``nnp info``: what a potential is made of."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnp.cli.cost import add_cost, cost_report
from nnp.cli.options import SubParsers, add_command, add_potential, load_potential
from nnp.cli.table import text_table
from nnp.committee import Committee
from nnp.errors import readable
from nnp.functions import WithRange
from nnp.io.n2p2 import unit_warning
from nnp.networks import Network
from nnp.potential import UNDETERMINED, ElementModel, Potential
from nnp.scaling import NO_RANGE

_LONGEST_ENTRY = 70  # characters; longer lists and tables of the provenance are counted, not shown
# Columns of the table: heading, and the function's field that fills it.
_PARAMETERS = (
    ("eta/Å⁻²", "eta"),
    ("kappa/Å⁻¹", "kappa"),
    ("r_shift/Å", "r_shift"),
    ("lambda", "lambda_"),
    ("zeta", "zeta"),
    ("r_left/Å", "r_left"),
    ("theta_left/°", "theta_left_deg"),
    ("theta_right/°", "theta_right_deg"),
)
# Columns that make the table wide, and often hold one value.
_SHARED = {"r_c/Å", "cutoff", "alpha", "core", *(name for name, _ in _PARAMETERS)}
# Fields that columns show: of a function with others stands its own text of all parameters.
_SHOWN = {field for _, field in _PARAMETERS} | {
    *("neighbor", "neighbors", "narrow", "cutoff", "r_right", "core", "asymmetric")
}


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "show elements, functions, networks, units and origin of a potential"
    parser = add_command(subparsers, "info", _run, summary, prints=True)
    add_potential(parser, needed=False)
    add_cost(parser)
    parser.set_defaults(usage=parser.error)
    parser.epilog = "nnp info --debug prints versions, processor and platforms, for a bug report."


def _run(arguments: argparse.Namespace) -> None:
    if arguments.path is None:
        if not arguments.debug:
            arguments.usage("PATH of a potential is missing; nnp info --debug: this machine")
        from nnp.cli.environment import report  # twice the time that nnp info takes to begin

        print("\n".join(report()))
        return
    with warnings.catch_warnings():  # the report says it in its own place
        warnings.filterwarnings("ignore", message=".*the files are taken to be in")
        potential = load_potential(arguments, say=False)
    if arguments.cost is None and not arguments.measure:
        print("\n".join(_report(potential, arguments.path)))
    else:
        print("\n".join(cost_report(potential, arguments)))


def _report(potential: Potential, path: str) -> Iterator[str]:
    parameters = sum(model.network.n_parameters for model in potential.models)
    yield f"{path}"
    if isinstance(potential, Committee):
        yield from _members(potential)
    yield f"  elements    {', '.join(potential.elements)}"
    yield f"  cutoff      {potential.cutoff:.6g} Å (the largest)"
    yield f"  parameters  {parameters} weights and biases"
    yield f"  units       {potential.units} in its files; everything below in Å and eV"
    for term in potential.terms:
        yield f"  term        {term}: added to the networks"
    for part in potential.baseline:
        yield f"  baseline    {part}: the networks were fitted on top of it, evaluations add it"
    directory = Path(path).is_dir()
    converted = potential.provenance.get("source") == "n2p2 directory"
    if (directory or converted) and (warning := unit_warning(potential, not directory)):
        yield f"  WARNING     {warning}"
    yield from _energies(potential)
    yield from _provenance(potential.provenance)
    for model in potential.models:
        yield ""
        yield from _element(model)


def _energies(potential: Potential) -> Iterator[str]:
    """What energies mean, where the data left it open."""
    own = potential.members if isinstance(potential, Committee) else (potential,)
    symbols = list(dict.fromkeys(s for p in own for s in p.provenance.get(UNDETERMINED, ())))
    if symbols:
        yield (
            f"  energies    of other ratios of {readable(' '.join(map(str, symbols)))} than in the "
            "training data mean nothing: its compositions did not tell an energy per element"
        )


def _members(committee: Committee) -> Iterator[str]:
    yield f"  committee   of {len(committee.members)}; below their mean, which is one potential"
    for number, member in enumerate(committee.members):
        layers = ", ".join(f"{m.symbol} {_layers(m.network)}" for m in member.models)
        yield f"    member {number}  {layers}"


def _provenance(entries: dict[str, Any]) -> Iterator[str]:
    """Where the potential came from; what is too long for a line by its number of entries."""
    for name, value in entries.items():
        if name == UNDETERMINED:
            continue
        label = f"  {readable(name):<11} "
        if isinstance(value, dict):
            for key, inner in value.items():
                yield f"{label}{readable(key)}: {_short(inner)}"
                label = " " * len(label)
        else:
            yield label + _short(value)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{readable(key)} {_short(inner)}" for key, inner in value.items())
    else:
        text = readable(str(value))
    if isinstance(value, dict | list) and len(text) > _LONGEST_ENTRY:
        return f"{len(value)} entries"
    return text


def _element(model: ElementModel) -> Iterator[str]:
    network, functions, scaling = model.network, model.functions, model.scaling
    kinds: dict[str, int] = {}
    for function in functions:
        kinds[function.kind] = kinds.get(function.kind, 0) + 1
    summary = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    yield f"{model.symbol}: {len(functions)} functions ({summary})"
    yield f"  network     {_layers(network)}, {network.n_parameters} weights and biases"
    yield f"  offset      {model.energy_offset:.10g} eV per atom"
    yield f"  scaling     {scaling.mode} to {scaling.target_min:g} … {scaling.target_max:g}"
    heading = ["no", "function", "type", "neighbors", *(name for name, _ in _PARAMETERS)]
    heading += ["parameters", "r_c/Å", "cutoff", "alpha", "core", "min", "max"]
    yield from _functions(heading, [_row(model, index) for index in range(len(functions))])


def _functions(heading: list[str], rows: list[list[str]]) -> Iterator[str]:
    """The table of functions; parameters that all of several share stand in a line above it."""
    shared = {
        column: values[0]
        for column, values in enumerate(zip(*rows, strict=True))
        if len(rows) > 1 and heading[column] in _SHARED and values[0] and len(set(values)) == 1
    }
    if shared:
        yield f"  all have    {', '.join(f'{heading[c]} {value}' for c, value in shared.items())}"
    kept = [column for column in range(len(heading)) if column not in shared]
    yield text_table([heading[c] for c in kept], [[row[c] for c in kept] for row in rows])


def _layers(network: Network) -> str:
    """Such as ``27-15-15-1 (tanh, tanh, identity)``."""
    sizes = "-".join(str(size) for size in network.sizes)
    return f"{sizes} ({', '.join(a.name.lower() for a in network.activations)})"


def _row(model: ElementModel, index: int) -> list[str]:
    function, fields = model.functions[index], asdict(model.functions[index])
    cutoff = getattr(function, "cutoff", None)
    return [
        str(index + 1),
        function.kind,
        str(function.n2p2_type or ""),
        "-".join(function.neighbor_symbols) or "all",
        *(f"{fields[key]:.6g}" if key in fields else "" for _, key in _PARAMETERS),
        "" if fields.keys() <= _SHOWN else function.parameter_text(),
        f"{function.radius:.6g}",
        cutoff.kind.name.lower() if cutoff else "",
        f"{cutoff.inner_fraction:g}" if cutoff and cutoff.inner_fraction else "",
        function.subtype if isinstance(function, WithRange) else "",
        *(_end(values[index]) for values in (model.scaling.minimum, model.scaling.maximum)),
    ]


def _end(value: float) -> str:
    """Of a function's range; a dash where it is not known."""
    return f"{value:.4g}" if abs(value) < NO_RANGE else "-"
