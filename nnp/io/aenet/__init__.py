"""ænet's potentials: one ``.nn`` per element, binary or as text; functions of Behler 2011.

Artrith and Urban, Comput. Mater. Sci. 114, 135 (2016), doi:10.1016/j.commatsci.2015.11.047. Å, eV.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError, NNPError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.io.aenet.binary import is_binary, read_binary
from nnp.io.aenet.functions import behler_functions, require_behler
from nnp.io.aenet.record import Record
from nnp.io.aenet.text import read_text
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.units import METAL

__all__ = ["SUFFIXES", "files_in", "is_aenet_name", "read"]

# In the order in which one of an element is taken: binary holds the very numbers.
SUFFIXES = (".nn", ".ann", ".nn.ascii")
_ACTIVATIONS = (
    Activation.IDENTITY,
    Activation.TANH,
    Activation.LOGISTIC,
    Activation.SCALED_TANH,
    Activation.TWISTED_TANH,
)
_DEAD = 1e-10  # ænet's own bound: a function that never changed is not used


def is_aenet_name(path: Path) -> bool:
    """Whether a file's name is one of ænet's potentials."""
    return path.name.endswith(SUFFIXES) and path.name != "input.nn"


def files_in(folder: Path) -> list[Path]:
    """ænet's potentials in a folder, one of each name; binary ones before text."""
    found: dict[str, Path] = {}
    for suffix in SUFFIXES:
        for path in sorted(folder.glob(f"*{suffix}")):
            if is_aenet_name(path):
                found.setdefault(path.name.removesuffix(suffix), path)
    return list(found.values())


def read(paths: Sequence[Path]) -> Potential:
    """Read a potential.

    Args:
        paths: of one file per element.

    Raises:
        FileFormatError: a file is damaged, of another kind than Behler 2011, or the files do not
            belong together; the message names it.
    """
    records = [_record(path) for path in paths]
    _check_together(records)
    models = tuple(_element(record) for record in records)
    about = {"source": "aenet", "names": [Path(path).name for path in paths]}
    try:
        return Potential(models, 1.0, METAL, about)
    except NNPError as error:
        raise FileFormatError(f"{records[0].path}: {error}") from None


def _record(path: Path) -> Record:
    return read_binary(path) if is_binary(path) else read_text(path)


def _check_together(records: Sequence[Record]) -> None:
    """Refuse files of different potentials."""
    elements = [record.central for record in records]
    first = records[0]
    if len(set(elements)) != len(elements):
        raise FileFormatError(f"{first.path} and others: two files for one element, {elements}")
    for record in records:
        require_behler(record)
        missing = [symbol for symbol in record.environment if symbol not in elements]
        if missing:
            raise FileFormatError(
                f"{record.path} looks for {', '.join(missing)}, of which there is no file: give "
                "one file for each element"
            )
        if record.environment != record.types:
            raise FileFormatError(
                f"{record.path}: its environment ({' '.join(record.environment)}) stands in "
                f"another order than the potential's elements ({' '.join(record.types)}): ænet "
                "takes functions by an element's place, and trained this one with mixed-up ones"
            )


def _element(record: Record) -> ElementModel:
    try:
        functions = behler_functions(record)
        ordered = canonical_order(functions)
        # equal functions are interchangeable only with their own statistics and weights
        order = _permutation(functions, ordered)
        sigma = np.sqrt(np.maximum(record.square - record.mean**2, 0.0))
        dead = sigma <= _DEAD
        weights, biases = record.weights()
        first = np.where(dead[:, None], 0.0, weights[0])[order]
        scaling = Scaling(
            record.minimum[order],
            record.maximum[order],
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


def _permutation(
    functions: Sequence[SymmetryFunction], ordered: Sequence[SymmetryFunction]
) -> NDArray[np.int64]:
    """Where each of ``ordered`` stands in ``functions``; equal ones each once."""
    free = list(range(len(functions)))
    found = []
    for function in ordered:
        index = next(k for k in free if functions[k] == function)
        free.remove(index)
        found.append(index)
    return np.array(found, np.int64)


def _activation(number: int, record: Record) -> Activation:
    if not 0 <= number < len(_ACTIVATIONS):
        raise FileFormatError(
            f"{record.path}: activation {number} is none of ænet's: 0 linear, 1 tanh, 2 sigmoid, "
            "3 mtanh, 4 twist"
        )
    return _ACTIVATIONS[number]
