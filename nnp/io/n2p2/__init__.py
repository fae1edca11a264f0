"""n2p2's and RuNNer's potentials: a directory of ``input.nn``, ``scaling.data``, ``weights.*``.

Behler and Parrinello potentials as n2p2 (Singraber et al., J. Chem. Theory Comput. 15, 1827
(2019), doi:10.1021/acs.jctc.8b00770) and RuNNer write them. The files do not say their units.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from nnp.baseline import refuse_baseline
from nnp.committee import Committee
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError, OptionError, OutputExistsError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.io.files import replacing
from nnp.io.n2p2 import functions as function_lines
from nnp.io.n2p2.folder import charges_hint, warn_of_charges, weights_file
from nnp.io.n2p2.members import check_alike, member_folders, numbered_folders
from nnp.io.n2p2.networks import (
    architecture_lines,
    check_element_lines,
    divide_by_inputs,
    read_architecture,
    read_weights,
    weights_name,
    weights_text,
)
from nnp.io.n2p2.plausible import unit_warning
from nnp.io.n2p2.scaling import mode_lines, read_mode, read_scaling, scaling_text
from nnp.io.n2p2.settings import Settings, read_elements
from nnp.potential import ElementModel, Potential
from nnp.terms import refuse_terms
from nnp.units import ATOMIC, UnitSystem, unit_system

__all__ = ["read", "unit_warning", "write"]

# What a potential's directory consists of.
_OURS = re.compile(r"input\.nn|scaling\.data|weights\.\d{3}\.data")


def read(directory: str | Path, units: UnitSystem | None = None) -> Potential:
    """Read a potential directory.

    Args:
        directory: holds ``input.nn``, ``scaling.data`` and ``weights.ZZZ.data`` per element; where
            ``committee_mode`` and ``committee_data`` say so, other members' weights in folders.
        units: of the files; bohr and hartree when None. Then a warning says so where the cutoff
            looks like Å.

    Returns:
        The potential; a `nnp.Committee` where the directory holds one.

    Raises:
        FileFormatError: a file is missing or breaks the format; the message names file and line.
    """
    directory = Path(directory)
    if not (directory / "input.nn").exists() and (folders := numbered_folders(directory)):
        potential: Potential = Committee.of([_read_one(folder, units) for folder in folders])
    else:
        settings = Settings(directory / "input.nn")
        members = member_folders(settings)
        found = [_read_one(directory, units, settings, folder) for folder in members]
        check_alike(found, members)
        potential = found[0] if len(found) == 1 else Committee.of(found, _provenance(directory))
    if units is None and (warning := unit_warning(potential)):
        warnings.warn(f"{directory}: {warning}", stacklevel=4)
    return potential


def _read_one(
    directory: Path,
    units: UnitSystem | None,
    settings: Settings | None = None,
    member: Path | None = None,
) -> Potential:
    """One network per element; a member's files come from its folder, where they are there."""
    settings = settings or Settings(directory / "input.nn")
    member = member or directory
    if member != directory and (member / "input.nn").exists():
        settings = Settings(member / "input.nn")
    taken = units or ATOMIC
    length, energy = taken.length_in_angstrom, taken.energy_in_ev
    elements = _elements(settings)
    check_element_lines(settings, elements)
    functions = _functions(settings, elements, length)
    mode = read_mode(settings)
    counts = {symbol: len(found) for symbol, found in functions.items()}
    scaling = next((f for f in (member, directory) if (f / "scaling.data").exists()), directory)
    scalings = read_scaling(scaling / "scaling.data", counts, mode)
    mean_energy, conv_energy = _normalisation(settings)
    offsets = _atom_energies(settings, elements)
    models = []
    for symbol in elements:
        architecture = read_architecture(settings, symbol)
        path = weights_file(member, symbol)
        network = read_weights(path, architecture, counts[symbol], charges_hint(member))
        if settings.flag("normalize_nodes"):
            network = divide_by_inputs(network)
        offset = (mean_energy + offsets[symbol]) * energy
        models.append(
            ElementModel(symbol, tuple(functions[symbol]), scalings[symbol], network, offset)
        )
    warn_of_charges(member)
    return Potential(tuple(models), energy / conv_energy, taken, _provenance(member))


def _provenance(directory: Path) -> dict[str, str]:
    return {"source": "n2p2 directory", "name": directory.resolve().name}


def write(
    potential: Potential,
    directory: str | Path,
    units: str | tuple[str, str] | UnitSystem | None = None,
    force: bool = False,
) -> None:
    """Write a directory that n2p2 reads.

    Args:
        potential: what to write.
        directory: is made.
        units: of the files; the potential's own when None.
        force: whether an existing directory may be replaced.

    Raises:
        OptionError: a function, activation, cutoff or scaling that n2p2 cannot express.
        OutputExistsError: the directory is there and ``force`` is False, or it holds other files.
    """
    refuse_baseline(potential.baseline, "n2p2's files")
    refuse_terms(potential.terms, "n2p2's files")
    taken = unit_system(units) or potential.units
    files = {
        "input.nn": _input_nn(potential, taken),
        "scaling.data": scaling_text([model.scaling for model in potential.models]),
    }
    for model in potential.models:
        files[weights_name(model.symbol)] = weights_text(model.network)
    _refuse_other_files(Path(directory))
    with replacing(directory, force, directory=True) as scratch:
        for name, text in files.items():
            (scratch / name).write_text(text, encoding="utf-8")


def _refuse_other_files(directory: Path) -> None:
    """Replacing a directory deletes it: no data of the user's may be in it."""
    try:
        names = [path.name for path in directory.iterdir()] if directory.is_dir() else []
    except OSError as error:
        raise NNPError(f"cannot read {directory}: {error.strerror or error}") from None
    others = sorted(name for name in names if not _OURS.fullmatch(name))
    if others:
        raise OutputExistsError(
            f"{directory} holds other files ({', '.join(others[:3])}{' …' * (len(others) > 3)}), "
            "which replacing it would delete: choose another directory"
        )


def _elements(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(read_elements(settings), key=atomic_number))


def _functions(
    settings: Settings, elements: tuple[str, ...], length: float
) -> dict[str, list[SymmetryFunction]]:
    make_cutoff = function_lines.cutoff_maker(
        settings.one("cutoff_type"), settings.one("cutoff_alpha")
    )
    found: dict[str, list[SymmetryFunction]] = {symbol: [] for symbol in elements}
    for entry in settings.all("symfunction_short", "symfunction"):
        central, function = function_lines.read_function(entry, elements, make_cutoff, length)
        found[central].append(function)
    for symbol, functions in found.items():
        if not functions:
            raise FileFormatError(f"{settings.path}: no symfunction_short line for {symbol}")
    return {symbol: canonical_order(functions) for symbol, functions in found.items()}


def _normalisation(settings: Settings) -> tuple[float, float]:
    """``mean_energy`` and ``conv_energy``; ``conv_length`` cancels (functions have no unit)."""
    names = ("mean_energy", "conv_energy", "conv_length")
    given = [name for name in names if settings.flag(name)]
    if given and len(given) < 3:
        raise FileFormatError(
            f"{settings.path}: {' and '.join(given)} without "
            f"{' and '.join(sorted(set(names) - set(given)))}: all three or none"
        )
    conv_energy = settings.number("conv_energy", 1.0)
    if conv_energy <= 0:
        raise settings.required("conv_energy").error(f"is {conv_energy:g}: it must be positive")
    return settings.number("mean_energy", 0.0), conv_energy


def _atom_energies(settings: Settings, elements: tuple[str, ...]) -> dict[str, float]:
    offsets = dict.fromkeys(elements, 0.0)
    for entry in settings.all("atom_energy"):
        entry.expect(2)
        if entry.arguments[0] not in offsets:
            raise entry.error(f"names {entry.arguments[0]!r}, which is not among the elements")
    for symbol in elements:
        line = settings.one_for("atom_energy", symbol)
        if line is not None:
            offsets[symbol] = line.number(1)
    return offsets


def _input_nn(potential: Potential, units: UnitSystem) -> str:
    cutoff = _common_cutoff(potential)
    lines = [
        f"# Written by nnp; lengths in {units.length}, energies in {units.energy}",
        f"number_of_elements {len(potential.elements)}",
        f"elements {' '.join(potential.elements)}",
        *(
            f"atom_energy {model.symbol} {model.energy_offset / units.energy_in_ev:.17g}"
            for model in potential.models
        ),
        f"cutoff_type {int(cutoff.kind)} {cutoff.inner_fraction:.17g}",
        *_common_mode(potential),
        *architecture_lines({model.symbol: model.network for model in potential.models}),
    ]
    conv_energy = units.energy_in_ev / potential.energy_scale
    if conv_energy != 1.0:
        lines += ["mean_energy 0.0", f"conv_energy {conv_energy:.17g}", "conv_length 1.0"]
    for model in potential.models:
        for function in model.functions:
            text = function_lines.write_function(model.symbol, function, units.length_in_angstrom)
            lines.append(f"symfunction_short {text}")
    return "\n".join(lines) + "\n"


def _common_cutoff(potential: Potential) -> Cutoff:
    cutoffs = [f.cutoff for m in potential.models for f in m.functions if hasattr(f, "cutoff")]
    if len({(c.kind, c.inner_fraction) for c in cutoffs}) > 1:
        raise OptionError(
            "the potential's functions have different cutoff functions: n2p2 knows one for all"
        )
    return cutoffs[0] if cutoffs else Cutoff(CutoffKind.COSINE, 1.0)


def _common_mode(potential: Potential) -> list[str]:
    modes = [mode_lines(model.scaling) for model in potential.models]
    if any(mode != modes[0] for mode in modes):
        raise OptionError("the elements are scaled differently: n2p2 knows one scaling for all")
    return modes[0]
