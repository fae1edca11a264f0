"""ænet's potentials: one ``.nn`` per element, binary or as text.

Functions of Behler 2011 or of the Chebyshev basis, whose angle ænet 2.0.0 to 2.0.3 took otherwise
than later ones; no file says which (see `nnp.io.aenet.angle`).

Artrith and Urban, Comput. Mater. Sci. 114, 135 (2016), doi:10.1016/j.commatsci.2015.11.047. Å, eV.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.functions.chebyshev import ChebyshevSetup
from nnp.io.aenet.angle import legacy_angle
from nnp.io.aenet.behler import behler_functions
from nnp.io.aenet.binary import is_binary, read_binary
from nnp.io.aenet.record import ACTIVATIONS, Record, permutation
from nnp.io.aenet.text import read_text
from nnp.io.aenet.writing import write
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import NO_RANGE, Scaling, ScalingMode
from nnp.units import METAL

__all__ = ["SUFFIXES", "files_in", "is_aenet_name", "read", "write"]

# In the order in which one of an element is taken: binary holds the exact numbers.
SUFFIXES = (".nn", ".ann", ".nn.ascii")
_OF_EPOCH = re.compile(r"-\d+$")
_DEAD = 1e-10  # ænet's own bound: a function that never changed is not used


def is_aenet_name(path: Path) -> bool:
    """Whether a file's name is one of ænet's potentials: El.nn, or El.nn-00042 of an epoch."""
    return _OF_EPOCH.sub("", path.name).endswith(SUFFIXES) and path.name != "input.nn"


def files_in(folder: Path) -> list[Path]:
    """ænet's potentials in a folder, one of each name; binary ones before text."""
    found: dict[str, Path] = {}
    for suffix in SUFFIXES:
        for path in sorted(folder.glob(f"*{suffix}")):
            if is_aenet_name(path):
                found.setdefault(path.name.removesuffix(suffix), path)
    return list(found.values())


def read(paths: Sequence[Path], legacy: bool | None = None) -> Potential:
    """Read a potential.

    Args:
        paths: of one file per element.
        legacy: whether ænet 2.0.0 to 2.0.3 trained a Chebyshev potential; None: as its statistics
            say.

    Raises:
        FileFormatError: a file is damaged, of another basis, or the files do not belong together;
            the message names it.
        OptionError: the files do not say which ænet trained them.
    """
    records = [_record(path) for path in paths]
    _check_together(records)
    if {_basis(record) for record in records} == {"chebyshev"}:
        legacy = legacy_angle(records) if legacy is None else legacy
        _warn_of_weights(records)
    elements = sorted((record.central for record in records), key=atomic_number)
    models = tuple(_element(record, elements, bool(legacy)) for record in records)
    about = {
        "source": "aenet",
        "names": [Path(path).name for path in paths],
        "files": {record.central: _about(record) for record in records},
    }
    try:
        return Potential(models, 1.0, METAL, about)
    except NNPError as error:
        raise FileFormatError(f"{records[0].path}: {error}") from None


def _about(record: Record) -> dict[str, object]:
    """What `write` puts back."""
    return {
        **asdict(record.about),
        "types": list(record.types),
        "atomic_energy": record.atomic_energy,
    }


def _record(path: Path) -> Record:
    return read_binary(path) if is_binary(path) else read_text(path)


def _check_together(records: Sequence[Record]) -> None:
    """Refuse files of different potentials."""
    elements = [record.central for record in records]
    first = records[0]
    if len(set(elements)) != len(elements):
        raise FileFormatError(
            f"{first.path} and others: two files for one element ({' '.join(elements)}): leave one "
            "of them in the folder, or give a list"
        )
    for record in records:
        missing = [symbol for symbol in record.environment if symbol not in elements]
        if missing:
            raise FileFormatError(
                f"{record.path} looks for {', '.join(missing)}, for which there is no file: give "
                "one file for each element"
            )
        if _basis(record) == "chebyshev":
            _check_environment(record, elements)
        elif record.environment != record.types:
            raise FileFormatError(
                f"{record.path}: its environment ({' '.join(record.environment)}) lists the "
                f"elements in another order than the potential ({' '.join(record.types)}): ænet "
                "finds functions by an element's place, and trained this one with mixed-up ones"
            )


def _basis(record: Record) -> str:
    name = record.basis.lower()
    if name not in ("behler2011", "chebyshev"):
        raise FileFormatError(
            f"{record.path}: basis {record.basis[:40]!r}: Behler2011 and Chebyshev are known"
        )
    return name


def _check_environment(record: Record, elements: Sequence[str]) -> None:
    """Refuse a Chebyshev basis that has no weight for one of the elements."""
    absent = [symbol for symbol in elements if symbol not in record.environment]
    if absent and len(record.environment) > 1:
        raise FileFormatError(
            f"{record.path}: its environment ({' '.join(record.environment)}) lacks "
            f"{', '.join(absent)}, for which there is a file too: ænet would read outside its "
            "arrays; leave that element's file out"
        )


def _warn_of_weights(records: Sequence[Record]) -> None:
    for record in records:
        radial, _, angular = record.parameters.ravel()[:3].tolist()
        if angular > radial and len(record.environment) > 1:
            warnings.warn(
                f"{record.path}: its angular cutoff ({angular:g} Å) is beyond its radial one "
                f"({radial:g} Å): between the two ænet itself takes the weight of whichever "
                "neighbour came before, so that its energies differ from the formula's, which "
                "are computed here",
                stacklevel=4,
            )


def _functions(record: Record, elements: Sequence[str], legacy: bool) -> Sequence[SymmetryFunction]:
    """In the order of evaluation."""
    if _basis(record) == "behler2011":
        return behler_functions(record)
    radial_cutoff, radial, angular_cutoff, angular = record.parameters.ravel()[:4].tolist()
    if radial != int(radial) or angular != int(angular):
        raise FileFormatError(f"{record.path}: orders {radial} and {angular} of its basis")
    setup = ChebyshevSetup(
        record.environment, radial_cutoff, int(radial), angular_cutoff, int(angular), legacy
    )
    found = setup.functions(elements)
    if len(found) != len(record.kinds):
        raise FileFormatError(
            f"{record.path} has {len(record.kinds)} functions, its basis {len(found)}"
        )
    return found


def _element(record: Record, elements: Sequence[str], legacy: bool) -> ElementModel:
    try:
        functions = _functions(record, elements, legacy)
        ordered = canonical_order(functions)
        # equal functions are interchangeable only with their own statistics and weights
        order = permutation(functions, ordered)
        sigma = np.sqrt(np.maximum(record.square - record.mean**2, 0.0))
        dead = sigma <= _DEAD
        weights, biases = record.weights()
        first = np.where(dead[:, None], 0.0, weights[0])[order]
        ends = record.minimum, record.maximum
        if not record.has_ranges:
            ends = np.full(len(order), -NO_RANGE), np.full(len(order), NO_RANGE)
        scaling = Scaling(
            ends[0][order],
            ends[1][order],
            record.mean[order],
            np.where(dead, 1.0, sigma)[order],
            ScalingMode.SCALE_SIGMA,
        )
        output = np.array(1.0 / record.scale)
        network = Network(
            (first, *weights[1:-1], weights[-1] * output)
            if len(weights) > 1
            else (first * output,),
            (*biases[:-1], biases[-1] * output),
            tuple(_activation(number, record) for number in record.activations),
        )
        offset = record.shift + record.atomic_energy
        return ElementModel(record.central, tuple(ordered), scaling, network, offset)
    except FileFormatError:
        raise
    except (NNPError, ValueError, IndexError, OverflowError) as error:
        raise FileFormatError(f"{record.path}: {error}") from None


def _activation(number: int, record: Record) -> Activation:
    if not 0 <= number < len(ACTIVATIONS):
        raise FileFormatError(
            f"{record.path}: activation {number} is not one of ænet's: 0 linear, 1 tanh, "
            "2 sigmoid, 3 mtanh, 4 twist"
        )
    return ACTIVATIONS[number]
