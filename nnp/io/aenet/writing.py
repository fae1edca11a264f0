"""Potentials as ænet 2.0.4 reads them: one file per element, binary or the text of its converter.

ænet's own program reads the binary form alone. A file's functions stand in the order in which ænet
evaluates them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import refuse_baseline
from nnp.committee import Committee
from nnp.cutoffs import CutoffKind
from nnp.errors import NNPError, OptionError, OutputExistsError
from nnp.functions import Angular, Radial, RadialCosine, SymmetryFunction, describe
from nnp.functions.chebyshev import setup_of
from nnp.io.aenet.binary import binary_of
from nnp.io.aenet.record import ACTIVATIONS, About, Record, permutation
from nnp.io.aenet.text import text_of
from nnp.io.files import replacing
from nnp.potential import ElementModel, Potential
from nnp.scaling import NO_RANGE
from nnp.terms import refuse_terms

# ænet scales with √(mean of G² − (mean of G)²): a width far below the mean would drown in rounding.
_NARROWEST = 0.1


def write(
    potential: Potential, folder: str | Path, text: bool = False, force: bool = False
) -> list[Path]:
    """Write a folder of ``El.nn``, or with ``text`` of ``El.nn.ascii``.

    Args:
        potential: what to write.
        folder: is made; the files go beside others that are there.
        text: the form of ænet's and aenet-PyTorch's converters instead of the binary one.
        force: whether existing files may be replaced.

    Returns:
        The files.

    Raises:
        OptionError: a function, activation, term or baseline that ænet does not have.
        OutputExistsError: a file is there and ``force`` is False.
    """
    suffix = ".nn.ascii" if text else ".nn"
    names = {symbol: Path(folder) / f"{symbol}{suffix}" for symbol in potential.elements}
    records = [_record(potential, model) for model in potential.models]
    _refuse_existing(names, force)
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise NNPError(f"cannot write {folder}: {error.strerror or error}") from None
    _write(records, names, text, force)
    return list(names.values())


def write_as(potential: Potential, names: Mapping[str, Path], force: bool = False) -> None:
    """Write binary files under names of one's own.

    Args:
        potential: what to write.
        names: file of each element.
        force: whether existing files may be replaced.

    Raises:
        OptionError, OutputExistsError: as `write`.
    """
    records = [_record(potential, model) for model in potential.models]
    _refuse_existing(names, force)
    _write(records, names, False, force)


def _refuse_existing(names: Mapping[str, Path], force: bool) -> None:
    if there := [path for path in names.values() if path.exists()] if not force else []:
        raise OutputExistsError(
            f"{there[0]} exists: choose another folder, or overwrite it with force=True (--force)"
        )


def _write(records: Sequence[Record], names: Mapping[str, Path], text: bool, force: bool) -> None:
    for record in records:
        content = text_of(record).encode() if text else binary_of(record)
        with replacing(names[record.central], force) as scratch:
            scratch.write_bytes(content)


def _record(potential: Potential, model: ElementModel) -> Record:
    refuse_baseline(potential.baseline, "ænet's files")
    refuse_terms(potential.terms, "ænet's files")
    if isinstance(potential, Committee):
        raise OptionError(
            "ænet has no committees: write the members one by one (committee.members)"
        )
    said = potential.provenance.get("files", {}).get(model.symbol, {})
    basis = _basis(potential, model)
    there = np.array([function in model.functions for function in basis.functions])
    kept = [f for f, is_there in zip(basis.functions, there, strict=True) if is_there]
    place = permutation(model.functions, kept)
    mean, square, layers = _scaled(model, place)
    minimum, maximum = model.scaling.minimum[place], model.scaling.maximum[place]
    unknown = (minimum <= -NO_RANGE) | (maximum >= NO_RANGE)
    layers[0] = _spread(layers[0][0], there), layers[0][1]
    atomic = float(said.get("atomic_energy", 0.0))
    types = _types(potential)
    return Record(
        Path(f"{model.symbol}.nn"),
        (len(basis.functions), *model.network.sizes[1:]),
        tuple(_activation(a, model) for a in model.network.activations),
        np.concatenate([np.vstack([w, b]).ravel() for w, b in layers]),
        model.symbol,
        basis.environment,
        basis.name,
        np.array(basis.kinds),
        np.array(basis.parameters),
        np.array(basis.neighbors),
        _spread(np.where(unknown, 0.0, minimum), there),
        _spread(np.where(unknown, 0.0, maximum), there),
        _spread(mean, there),
        _spread(square, there, 1.0),
        1.0 / potential.energy_scale,
        model.energy_offset - atomic,
        types,
        np.array([_atomic_energy(potential, symbol) for symbol in types]),
        _about(said, max(f.radius for f in model.functions)),
    )


def _about(said: dict[str, Any], r_max: float) -> About:
    known = {name: said[name] for name in About.__dataclass_fields__ if name in said}
    if "energies" in known:
        known["energies"] = tuple(known["energies"])
    return About(**{"description": "nnp", "data_file": "none", **known, "r_max": r_max})


def _types(potential: Potential) -> tuple[str, ...]:
    """In the order of the files that it came from, which decides nothing but is kept."""
    files = potential.provenance.get("files", {})
    said = [tuple(own.get("types", ())) for own in files.values() if isinstance(own, dict)]
    if said and set(said[0]) == set(potential.elements):
        return said[0]
    return potential.elements


def _atomic_energy(potential: Potential, symbol: str) -> float:
    own = potential.provenance.get("files", {}).get(symbol, {})
    return float(own.get("atomic_energy", 0.0))


def _scaled(
    model: ElementModel, place: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[Any, Any]]]:
    """Means of functions and of their squares, and the network that ænet's scaling wants.

    Ours is a G + b, ænet's (G − mean)/s with s of the two means, rounded as it rounds them: the
    difference goes into the first layer.
    """
    scaling, network = model.scaling, model.network
    mean = scaling.mean[place]
    width = np.maximum(scaling.sigma[place], _NARROWEST * np.abs(mean))
    width = np.where(width > 0, width, 1.0)
    square = width**2 + mean**2
    s = np.sqrt(square - mean**2)
    factor, offset = scaling.factor[place], scaling.offset[place]
    first = network.weights[0][place]
    weights = [first * (factor * s)[:, None], *network.weights[1:]]
    biases = [network.biases[0] + (factor * mean + offset) @ first, *network.biases[1:]]
    return mean, square, list(zip(weights, biases, strict=True))


def _spread(
    values: NDArray[np.float64], there: NDArray[np.bool_], empty: float = 0.0
) -> NDArray[np.float64]:
    """Rows of a whole basis from those of the functions that are there."""
    rows = np.full((len(there), *values.shape[1:]), empty)
    rows[there] = values
    return rows


def _activation(activation: Any, model: ElementModel) -> int:
    if activation not in ACTIVATIONS:
        allowed = ", ".join(a.name.lower() for a in ACTIVATIONS)
        raise OptionError(
            f"the network of {model.symbol} has {activation.name.lower()} neurons, which ænet "
            f"does not have: {allowed}; a one-file model holds them"
        )
    return ACTIVATIONS.index(activation)


class _Basis:
    """Functions in the order of evaluation, and how a file says them."""

    def __init__(self, name: str, environment: Sequence[str]) -> None:
        self.name, self.environment = name, tuple(environment)
        self.functions: list[SymmetryFunction] = []
        self.kinds: list[int] = []
        self.parameters: list[tuple[float, ...]] = []
        self.neighbors: list[tuple[int, int]] = []

    def add(
        self,
        function: SymmetryFunction,
        kind: int = 0,
        parameters: Sequence[float] = (),
        neighbors: Sequence[int] = (),
    ) -> None:
        self.functions.append(function)
        self.kinds.append(kind)
        self.parameters.append((*parameters, *[0.0] * (4 - len(parameters))))
        first, second = (*neighbors, 0, 0)[:2]
        self.neighbors.append((first, second))


def _basis(potential: Potential, model: ElementModel) -> _Basis:
    setup = setup_of(model.functions, potential.elements, model.symbol)
    if setup is None:
        return _behler(potential, model)
    if setup.legacy:
        raise OptionError(
            f"the angle of {model.symbol}'s functions is that of ænet 2.0.0 to 2.0.3: 2.0.4 would "
            "compute other energies, and no file can say it; a one-file model holds it"
        )
    basis = _Basis("Chebyshev", setup.environment)
    for function in setup.functions(potential.elements):
        basis.add(function)
    basis.parameters[0] = (
        setup.radial_cutoff, float(setup.radial), setup.angular_cutoff, float(setup.angular)
    )  # fmt: skip
    return basis


def _behler(potential: Potential, model: ElementModel) -> _Basis:
    types = _types(potential)
    basis = _Basis("Behler2011", types)
    rows = [(*_behler_line(f, model, types), f) for f in model.functions]
    rows.sort(key=lambda row: (row[2], row[0]))  # stable: as ænet evaluates them
    for kind, parameters, neighbors, function in rows:
        basis.add(function, kind, parameters, neighbors)
    return basis


def _behler_line(
    function: SymmetryFunction, model: ElementModel, types: Sequence[str]
) -> tuple[int, tuple[float, ...], tuple[int, int]]:
    """G number, parameters, places of the neighbours (the second 0 where there is none)."""
    cutoff = getattr(function, "cutoff", None)
    plain = cutoff is not None and cutoff.kind is CutoffKind.COSINE and not cutoff.inner_fraction
    symbols = function.neighbor_symbols
    if plain and symbols:
        places = sorted(types.index(symbol) + 1 for symbol in symbols)
        ends = places[0], places[1] if len(places) > 1 else 0
        if isinstance(function, Radial):
            if function.eta == 0:
                return 1, (function.radius,), ends
            return 2, (function.radius, function.r_shift, function.eta), ends
        if isinstance(function, RadialCosine):
            return 3, (function.radius, function.kappa), ends
        if isinstance(function, Angular) and function.r_shift == 0:
            kind = 4 if function.narrow else 5
            return kind, (function.radius, function.lambda_, function.zeta, function.eta), ends
    raise OptionError(
        f"{model.symbol}: ænet has no function such as {describe(function)}: it has radial ones of "
        "an element, angular ones of two without r_s, both with the cosine cutoff, and its "
        "Chebyshev basis; a one-file model holds others"
    )
