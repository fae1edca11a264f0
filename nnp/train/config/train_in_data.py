"""Structures, labels and the test set that ænet's ``train.in`` means."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnp.errors import FileFormatError, OptionError
from nnp.io.aenet.keywords import GenerateInput, TrainInput, read_generate
from nnp.io.aenet.train_set import read_train_set
from nnp.io.structures import read
from nnp.io.structures.aenet_set import file_of
from nnp.values import counted

GENERATE = "generate.in"
SAVED = "energies.{}.0"
# Columns of such a file before those of the elements: energies, atoms, differences.
_COLUMNS = 7


def generate_of(train: TrainInput) -> GenerateInput:
    """The ``generate.in`` beside a ``train.in``; what the training set says of it where it is gone.

    Raises:
        FileFormatError: neither is there, or they do not belong together.
    """
    path = train.path.parent / GENERATE
    made = train.path.parent / train.training_set
    if path.is_file():
        generate = read_generate(path)
        names = [Path(name).name for name in (generate.output, train.training_set)]
        if names[0] != names[1].removesuffix(".ascii"):
            raise FileFormatError(
                f"{path} makes {generate.output}, but {train.path} trains on {train.training_set}"
            )
    elif made.is_file():
        generate = _of_training_set(made)
    else:
        raise FileFormatError(
            f"{path} is missing, and so is {made}: one of them names the structures, set-ups and "
            "atomic energies"
        )
    if missing := [s for s in generate.energies if s not in train.networks]:
        raise FileFormatError(f"{train.path}: no network for {', '.join(missing)}")
    return generate


def _of_training_set(path: Path) -> GenerateInput:
    read(path)  # sees that all files are there, and as they were
    found = read_train_set(path)
    if missing := [symbol for symbol in found.energies if symbol not in found.setups]:
        raise FileFormatError(
            f"{path} has no set-up of {missing[0]}: put the {GENERATE} that it belongs to beside it"
        )
    files = (os.path.relpath(file_of(e, path.parent), path.parent) for e in found.entries)
    setups = dict.fromkeys(found.energies, path.name)
    return GenerateInput(path, path.name, found.energies, setups, tuple(files))


def are_cohesive(generate: GenerateInput) -> bool:
    """Whether the structures' labels are cohesive energies; total ones if not.

    Raises:
        FileFormatError: some are and some are not.
    """
    _require_files(generate)
    kinds = {name: _cohesive(generate.path.parent / name) for name in generate.files}
    if len(set(kinds.values())) > 1:
        one = next(name for name, cohesive in kinds.items() if cohesive)
        raise FileFormatError(
            f"{generate.path}: {one} has a cohesive energy, others have total ones: all must "
            "be of one kind"
        )
    return next(iter(kinds.values()))


def _require_files(generate: GenerateInput) -> None:
    """See at once that all structures are there.

    Raises:
        FileFormatError: some are not.
    """
    folder = generate.path.parent
    if missing := [name for name in generate.files if not (folder / name).exists()]:
        count = f"{len(missing)} of {len(generate.files)}"
        raise FileFormatError(
            f"{generate.path}: {count} of the structures that FILES names are missing, the first "
            f"of them {folder / missing[0]}: paths are relative to the folder of this file"
        )


def _cohesive(path: Path) -> bool:
    """Whether a file says a cohesive energy, as ænet takes it, and no total one."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    return "cohesive energy" in text and not re.search(r"total energy\s*=", text)


def chosen_structures(
    train: TrainInput, generate: GenerateInput, cohesive: bool
) -> dict[str, float]:
    """Files within MAXENERGY, each with its cohesive energy per atom, eV.

    Raises:
        FileFormatError: a structure without an energy.
        OptionError: none is left.
    """
    most = math.inf if train.max_energy is None else train.max_energy
    if repeated := len(generate.files) - len(set(generate.files)):
        warnings.warn(
            f"{generate.path}: {counted(repeated, 'line')} of FILES repeat others: each structure "
            "is taken once",
            stacklevel=2,
        )
    found: dict[str, float] = {}
    for name in generate.files:
        reading = read(generate.path.parent / name)
        atoms, label = reading.frames[0], reading.labels[0]
        if label.energy is None:
            raise FileFormatError(
                f"{generate.path.parent / name} has no energy, which ænet requires"
            )
        if others := set(atoms.symbols) - set(generate.energies):
            raise FileFormatError(
                f"{generate.path.parent / name} has {', '.join(sorted(others))}, which TYPES of "
                f"{generate.path} lacks"
            )
        energy = label.energy
        if not cohesive:
            energy -= sum(generate.energies[symbol] for symbol in atoms.symbols)
        if energy / len(atoms) <= most:
            found[name] = energy / len(atoms)
    if not found:
        raise OptionError(f"{train.path}: MAXENERGY {train.max_energy} leaves no structure")
    return found


def test_set(train: TrainInput, generate: GenerateInput, names: Sequence[str]) -> list[int]:
    """Which structures test: as many as ænet draws, floor(p N).

    ænet's own draw cannot be repeated, but ``energies.test.0`` of one of its runs (SAVE_ENERGIES)
    names the structures: where it is there and its structures are as many of these, they are taken.
    aenet-PyTorch's, by NPSEED, is repeated where forces are learned of all structures or of none.

    Args:
        train: the ``train.in``.
        generate: the ``generate.in``.
        names: of all structures.
    """
    share = train.test_percent / 100
    if not 0 <= share < 1:
        raise OptionError(f"{train.path}: TESTPERCENT {train.test_percent}: 0 to below 100")
    count = len(names)
    n_test = count - math.ceil((1 - share) * count - 1e-9)
    alike = not train.forces or (generate.all_forces and train.max_forces is None)
    if train.split_seed is not None and alike:
        drawn = _drawn_by_pytorch(train.split_seed, count, share)
    else:
        rng = np.random.default_rng(train.seed or 0)
        drawn = sorted(int(k) for k in rng.permutation(count)[:n_test])
    earlier = _earlier(train.path.parent, names, n_test, len(generate.energies))
    if earlier is None or earlier == drawn:
        return drawn
    warnings.warn(
        f"{train.path}: the test set is that of {SAVED.format('test')}: remove it for another",
        stacklevel=2,
    )
    return earlier


def _drawn_by_pytorch(seed: int, count: int, share: float) -> list[int]:
    """What aenet-PyTorch draws: the second of two shuffles (the first gives it a batch size)."""
    rng = np.random.RandomState(seed)  # NumPy keeps its numbers for ever
    for _ in range(2):
        places = list(range(count))
        rng.shuffle(places)
    return sorted(places[: math.floor(share * count)])


def _earlier(folder: Path, names: Sequence[str], n_test: int, n_elements: int) -> list[int] | None:
    """Numbers of the structures that an earlier run tested on, if they still fit."""
    try:
        text = (folder / SAVED.format("test")).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    places = {os.path.normpath(name): number for number, name in enumerate(names)}
    found = set()
    for line in text.splitlines()[1:]:
        words = line.split(maxsplit=_COLUMNS + n_elements)
        name = words[-1].strip() if len(words) > _COLUMNS + n_elements else ""
        path = Path(name)
        if path.is_absolute():
            name = os.path.relpath(path, folder.resolve())
        number = places.get(os.path.normpath(name)) if name else None
        if number is None:
            return None
        found.add(number)
    return sorted(found) if found and len(found) == n_test else None
