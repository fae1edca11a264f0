"""Our one-file model: a zip of ``header.json``, ``.npy`` arrays and ``arrays.bin``; no pickle.

Å and eV inside.

``unzip -p MODEL header.json`` shows all but the arrays, which are, per element symbol X:
X/minimum, X/maximum, X/mean, X/sigma (f,), X/weights_l (n_in, n_out), X/biases_l (n_out,).
``arrays.bin`` (since version 2), uncompressed and with its own checksum, is the same potential as
the flat arrays of nnp.h: what C reads; Python compares it with the rest.

A committee is a zip of ``header.json``, the ``arrays.bin`` of the members' mean and their model
files, uncompressed: member_0.nnp and so on.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline
from nnp.committee import Committee
from nnp.engines.flatten import check_flat, flatten_for_file
from nnp.errors import FileFormatError, NNPError, OptionError
from nnp.functions import RadialSeries, SymmetryFunction, family_named
from nnp.io.archive import (
    DAMAGED,
    check_size,
    damage_as_error,
    read_array,
    read_bytes,
    read_json,
    read_members,
    unpacked_size,
)
from nnp.io.files import replacing
from nnp.networks import Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling
from nnp.terms import RepulsionTerm, term_of_entry
from nnp.units import UnitSystem

FORMAT = "nnp-potential"
COMMITTEE_FORMAT = "nnp-committee"
VERSION = 2

_WHAT = "nnp model file"
_FLAT = "arrays.bin"
_STATISTICS = ("minimum", "maximum", "mean", "sigma")
# A fixed date makes equal potentials equal files.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(potential: Potential, path: str | Path, force: bool = False) -> None:
    """Write a potential; see `Potential.save`."""
    with replacing(path, force) as scratch:
        scratch.write_bytes(to_bytes(potential))


def read(path: str | Path) -> Potential:
    """Read a potential.

    Raises:
        FileFormatError: no model file, truncated, corrupt, or from a newer version.
    """
    return from_bytes(read_bytes(path), str(path))


def to_bytes(potential: Potential) -> bytes:
    """The content of a model file."""
    if isinstance(potential, Committee):
        members = {
            _member_name(k): to_bytes(replace(member, terms=potential.terms))
            for k, member in enumerate(potential.members)
        }
        return _archive(_committee_header(potential), _flat(potential) | members)
    arrays = _flat(potential)
    for name, array in _arrays(potential).items():
        raw = io.BytesIO()
        np.lib.format.write_array(raw, array, allow_pickle=False)
        arrays[f"{name}.npy"] = raw.getvalue()
    return _archive(_header(potential), arrays)


def from_bytes(data: bytes, name: str = "model", member: bool = False) -> Potential:
    """A potential from the content of a model file.

    Args:
        data: the content.
        name: stands in messages.
        member: whether it is of a committee, whose members are not committees.

    Raises:
        FileFormatError: no model file, damaged, or of a newer version.
    """
    try:
        contents = read_members(data, name, _WHAT)
        header = damage_as_error(name, _WHAT)(lambda: read_json(contents.pop("header.json")))
    except FileFormatError as error:
        raise FileFormatError(f"{error}; an n2p2 potential is given as its directory") from None
    _check_version(header, name)
    if member and header["format"] == COMMITTEE_FORMAT:
        raise FileFormatError(f"{name} is a committee: committees do not nest")
    try:
        flat = contents.pop(_FLAT) if header["version"] > 1 else None
        if header["format"] == COMMITTEE_FORMAT:
            check_size(sum(map(unpacked_size, contents.values())), len(data), name)
            potential: Potential = _committee(header, contents, name)
        else:
            potential = _potential(header, _read_arrays(contents))
            _check_names(header, contents)
        if flat is not None:
            check_flat(flat, potential)
    except FileFormatError:
        raise
    except KeyError as error:
        raise FileFormatError(
            f"{name} is not a complete nnp model file: it lacks {error}"
        ) from None
    except (*DAMAGED, NNPError) as error:
        raise FileFormatError(f"{name}: the model's content is inconsistent: {error}") from None
    return potential


def _check_names(header: dict[str, Any], contents: dict[str, bytes]) -> None:
    """Refuse arrays that the header does not mention; missing ones show when they are read."""
    wanted = set()
    for entry in header["elements"]:
        layers = range(min(len(entry["activations"]), len(contents)))
        names = (*_STATISTICS, *(f"{kind}_{k}" for kind in ("weights", "biases") for k in layers))
        wanted |= {f"{entry['symbol']}/{name}.npy" for name in names}
    if extra := sorted(set(contents) - wanted):
        raise OptionError(f"it holds {extra[0]}, which its header does not mention")


def _read_arrays(contents: dict[str, bytes]) -> dict[str, NDArray[np.float64]]:
    return {
        member.removesuffix(".npy"): read_array(content, member)
        for member, content in contents.items()
    }


def _flat(potential: Potential) -> dict[str, bytes]:
    return {_FLAT: flatten_for_file(potential).to_bytes()}


def _archive(header: dict[str, Any], contents: dict[str, bytes]) -> bytes:
    """A zip of ``header.json`` and files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        try:
            text = json.dumps(header, indent=1, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise OptionError(f"the provenance cannot be written as JSON: {error}") from None
        archive.writestr(_entry("header.json"), text)
        for name, content in contents.items():
            archive.writestr(_entry(name), content)
    return buffer.getvalue()


def _check_version(header: Any, name: str) -> None:
    formats = (FORMAT, COMMITTEE_FORMAT)
    if not isinstance(header, dict) or header.get("format") not in formats:
        raise FileFormatError(f"{name} is not an nnp model file: its header names another format")
    version = header.get("version")
    if version not in range(1, VERSION + 1):
        raise FileFormatError(
            f"{name} has format version {version}, this nnp reads up to {VERSION}: upgrade nnp"
        )


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    stored = name == _FLAT or name.endswith(".nnp")  # C has no decompressor
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    return info


def _member_name(number: int) -> str:
    return f"member_{number}.nnp"


def _committee_header(committee: Committee) -> dict[str, Any]:
    return {
        "format": COMMITTEE_FORMAT,
        "version": VERSION,
        "members": len(committee.members),
        "provenance": committee.provenance,
        **_baseline_entry(committee),
        **_terms_entry(committee),
    }


def _committee(header: dict[str, Any], contents: dict[str, bytes], name: str) -> Committee:
    if header["members"] != len(contents):
        raise FileFormatError(
            f"{name} says it has {header['members']} members and holds {len(contents)}"
        )
    names = [_member_name(k) for k in range(len(contents))]
    members = [from_bytes(contents[member], f"{name}, {member}", member=True) for member in names]
    committee = Committee.of(members, _checked_provenance(header))
    return replace(committee, baseline=_baseline(header), terms=_terms(header))


def _header(potential: Potential) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "units": asdict(potential.units),
        "energy_scale": potential.energy_scale,
        "elements": [
            {
                "symbol": model.symbol,
                "energy_offset": model.energy_offset,
                **_functions_entry(model.functions),
                "scaling": {
                    "mode": model.scaling.mode,
                    "target_min": model.scaling.target_min,
                    "target_max": model.scaling.target_max,
                },
                "activations": [a.value for a in model.network.activations],
            }
            for model in potential.models
        ],
        "provenance": potential.provenance,
        **_baseline_entry(potential),
        **_terms_entry(potential),
    }


def _functions_entry(functions: Sequence[SymmetryFunction]) -> dict[str, Any]:
    """Functions; radial series, where there are some, once each and by number."""
    tables = list(dict.fromkeys(f.table for f in functions if f.table is not None))
    entries = [
        f.entry() | ({} if f.table is None else {"series": tables.index(f.table)})
        for f in functions
    ]
    series = {"series": [table.entry() for table in tables]} if tables else {}
    return {"functions": entries, **series}


def _baseline_entry(potential: Potential) -> dict[str, Any]:
    """Nothing where there is none."""
    parts = [{"name": part.name, "options": dict(part.options)} for part in potential.baseline]
    return {"baseline": parts} if parts else {}


def _terms_entry(potential: Potential) -> dict[str, Any]:
    """Nothing where there is none."""
    return {"terms": [term.entry() for term in potential.terms]} if potential.terms else {}


def _terms(header: dict[str, Any]) -> tuple[RepulsionTerm, ...]:
    return tuple(term_of_entry(entry) for entry in header.get("terms", []))


def _baseline(header: dict[str, Any]) -> tuple[Baseline, ...]:
    entries = header.get("baseline", [])
    for entry in entries:
        if not (isinstance(entry["name"], str) and isinstance(entry["options"], dict)):
            raise OptionError(f"baseline {str(entry)[:50]}: a name and a table are expected")
    return tuple(Baseline(e["name"], e["options"], of_a_file=True) for e in entries)


def _arrays(potential: Potential) -> dict[str, NDArray[np.float64]]:
    arrays = {}
    for model in potential.models:
        for name in _STATISTICS:
            arrays[f"{model.symbol}/{name}"] = getattr(model.scaling, name)
        for layer, weight in enumerate(model.network.weights):
            arrays[f"{model.symbol}/weights_{layer}"] = weight
            arrays[f"{model.symbol}/biases_{layer}"] = model.network.biases[layer]
    return arrays


def _potential(header: dict[str, Any], arrays: dict[str, NDArray[np.float64]]) -> Potential:
    return Potential(
        models=tuple(_element(entry, arrays) for entry in header["elements"]),
        energy_scale=header["energy_scale"],
        units=UnitSystem(**header["units"]),
        provenance=_checked_provenance(header),
        baseline=_baseline(header),
        terms=_terms(header),
    )


def _checked_provenance(header: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(header["provenance"], dict):
        raise OptionError(f"provenance is {str(header['provenance'])[:50]!r}: a table is expected")
    return header["provenance"]


def _element(entry: dict[str, Any], arrays: dict[str, NDArray[np.float64]]) -> ElementModel:
    symbol = entry["symbol"]
    layers = range(len(entry["activations"]))
    series = [RadialSeries.from_entry(table) for table in entry.get("series", [])]
    statistics: dict[str, Any] = {name: arrays[f"{symbol}/{name}"] for name in _STATISTICS}
    return ElementModel(
        symbol=symbol,
        functions=tuple(_function(f, series) for f in entry["functions"]),
        scaling=Scaling(**statistics, **entry["scaling"]),
        network=Network(
            weights=tuple(arrays[f"{symbol}/weights_{layer}"] for layer in layers),
            biases=tuple(arrays[f"{symbol}/biases_{layer}"] for layer in layers),
            activations=tuple(entry["activations"]),
        ),
        energy_offset=entry["energy_offset"],
    )


def _function(entry: dict[str, Any], series: Sequence[RadialSeries]) -> SymmetryFunction:
    if "series" in entry:
        entry = entry | {"series": series[entry["series"]]}
    return family_named(entry["family"]).from_entry(entry)
