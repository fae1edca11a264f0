"""``nnp info``: what a potential is made of."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnp.cli.cost import add_cost, cost_report
from nnp.cli.fit_settings import fit_settings
from nnp.cli.function_table import function_tables
from nnp.cli.options import SubParsers, add_command, add_potential, load_potential
from nnp.cli.structures import require_no_words_of_files
from nnp.committee import Committee
from nnp.errors import readable
from nnp.io.n2p2 import unit_warning
from nnp.networks import Network
from nnp.potential import UNDETERMINED, ElementModel, Potential

_LONGEST_ENTRY = 60  # characters; longer lists and tables of the provenance are counted, not shown

_SETTINGS = "settings"  # of a fit: what matters of them is shown

# Units that are said at the end of a name.
_UNITS = {"_mev_per_atom": "meV/atom", "_ev_per_angstrom": "eV/Å"}


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "show elements, functions, networks, units and origin of a potential"
    parser = add_command(subparsers, "info", _run, summary, prints=True)
    add_potential(parser, needed=False)
    add_cost(parser)
    parser.set_defaults(usage=parser.error)
    parser.epilog = "nnp info --debug prints versions, processor and platforms, for a bug report."


def _run(arguments: argparse.Namespace) -> None:
    if not arguments.cost:
        require_no_words_of_files(arguments, "--cost STRUCTURE")
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
    shown: dict[str, list[list[str]]] = {}  # tables by element
    for model in potential.models:
        yield ""
        yield from _element(model)
        tables = list(function_tables(model))
        for above, table in tables:
            yield from above
            alike = [symbol for symbol, others in shown.items() if table in others]
            yield from [f"    the same {len(table) - 1} rows as {alike[0]}"] if alike else table
        shown[model.symbol] = [table for _, table in tables]


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
    shown = {name: value for name, value in entries.items() if name != UNDETERMINED}
    for name, value in shown.items():
        label = f"  {_words(name):<11} "
        if len(label) > len("  description "):  # its own line, so that values stay in one column
            yield label.rstrip()
            label = " " * len("  description ")
        for text in _rows(name, value):
            yield label + text
            label = " " * len(label)


def _rows(name: str, value: Any) -> Iterator[str]:
    """Of one entry: a line, or one for each of a table's own entries."""
    if not isinstance(value, dict):
        yield _short(value)
    elif name == _SETTINGS:
        yield from (f"{key}: {_cut(readable(text))}" for key, text in fit_settings(value))
    else:
        for key, inner in value.items():
            if key == _SETTINGS and isinstance(inner, dict):
                yield from _rows(key, inner)
            elif not (isinstance(inner, dict) and len(_joined(inner)) > _LONGEST_ENTRY):
                yield f"{_words(key)}: {_short(inner)}"


def _words(name: str) -> str:
    """The name of an entry.

    >>> _words("file_elements"), _words("lambda_")
    ('file elements', 'lambda')
    """
    return readable(name).replace("_", " ").strip()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ENTRY else f"{text[: _LONGEST_ENTRY - 1]}…"


def _short(value: Any) -> str:
    text = _joined(value)
    if isinstance(value, dict | list) and len(text) > _LONGEST_ENTRY:
        return f"{len(value)} entries"
    return text


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(_named(key, inner) for key, inner in value.items())
    return readable(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _named(key: str, value: Any) -> str:
    """An entry; of an error its kind, and its unit, which says of what it is.

    >>> _named("force_rmse_ev_per_angstrom", 0.01), _named("factor", 2)
    ('RMSE 0.01 eV/Å', 'factor 2')
    """
    for ending, unit in _UNITS.items():
        if key.endswith(ending):
            kind = key.removesuffix(ending).rpartition("_")[2].upper()
            return f"{readable(kind)} {_short(value)} {unit}"
    return f"{readable(key)} {_short(value)}"


def _element(model: ElementModel) -> Iterator[str]:
    network, functions, scaling = model.network, model.functions, model.scaling
    yield f"{model.symbol}: {len(functions)} functions"
    yield f"  network     {_layers(network)}, {network.n_parameters} weights and biases"
    yield f"  offset      {model.energy_offset:.10g} eV per atom"
    yield f"  scaling     {scaling.mode} to {scaling.target_min:g} … {scaling.target_max:g}"


def _layers(network: Network) -> str:
    """Such as ``27-15-15-1 (tanh, tanh, identity)``."""
    sizes = "-".join(str(size) for size in network.sizes)
    return f"{sizes} ({', '.join(a.name.lower() for a in network.activations)})"
