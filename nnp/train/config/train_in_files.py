"""What ænet's train.x leaves behind, from a run of ours: ``El.nn``, those of every epoch, energies.

The run itself is that of `nnp.train.config.train_in`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from nnp.elements import atomic_number
from nnp.io import model
from nnp.io.aenet.keywords import GenerateInput, TrainInput, read_train
from nnp.io.aenet.writing import write_as
from nnp.io.files import replacing
from nnp.io.structures import read
from nnp.potential import Potential
from nnp.train.config.train_in_data import SAVED, are_cohesive, generate_of
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.trainer import EVERY_KEPT

_HEAD = (
    "  Ref(eV)        ANN(eV)      #atoms  Ref(eV/atom)   ANN(eV/atom) Ref-ANN(eV/atom)"
    "    Cost-Func "
)


def leave_behind(path: Path, settings: TrainingSettings, potential: Potential) -> list[str]:
    """Write what ``train.in`` names into its folder, over older ones; lines that say what.

    Args:
        path: the ``train.in``.
        settings: what it was read as.
        potential: the result.
    """
    train = read_train(path)
    generate = generate_of(train)
    cohesive = are_cohesive(generate)
    names = {symbol: path.parent / train.networks[symbol].file for symbol in potential.elements}
    write_as(_with_atomic(potential, generate, cohesive), names, force=True)
    epochs = 0
    for kept in sorted(Path(settings.run.output).glob(EVERY_KEPT)):
        number = kept.stem.split("_")[1]
        own = {symbol: name.with_name(f"{name.name}-{number}") for symbol, name in names.items()}
        write_as(_with_atomic(model.read(kept), generate, cohesive), own, force=True)
        epochs += 1
    lines = [
        f"energies are {'cohesive' if cohesive else 'total'} ones, as the structures say; "
        + ("" if cohesive else "atomic energies of generate.in are subtracted for the fit; ")
        + "the files hold cohesive ones",
        f"ænet's files: {', '.join(name.name for name in names.values())}"
        + (f" and those of {epochs} epochs" if epochs else ""),
    ]
    if train.save_energies:
        lines += list(_save_energies(train, generate, settings, potential, cohesive))
    return lines


def _with_atomic(potential: Potential, generate: GenerateInput, cohesive: bool) -> Potential:
    """With the atomic energies where `nnp.io.aenet.write` looks for them."""
    types = list(generate.energies)
    files = {
        symbol: {"atomic_energy": energy, "types": types, "data_file": generate.output}
        for symbol, energy in generate.energies.items()
    }
    models = potential.models
    if cohesive:
        models = tuple(
            replace(m, energy_offset=m.energy_offset + generate.energies[m.symbol]) for m in models
        )
    return replace(potential, models=models, provenance=potential.provenance | {"files": files})


def _save_energies(
    train: TrainInput,
    generate: GenerateInput,
    settings: TrainingSettings,
    potential: Potential,
    cohesive: bool,
) -> Iterator[str]:
    """``energies.train.0`` and ``energies.test.0``; cohesive energies, eV."""
    held_out = set(settings.data.split.indices)
    for part in ("train", "test"):
        files = [
            f for k, f in enumerate(settings.data.train) if (k in held_out) == (part == "test")
        ]
        if not files:
            continue
        target = train.path.parent / SAVED.format(part)
        with replacing(target, force=True) as scratch:
            text = _energies(files, train.path.parent, generate, potential, cohesive)
            scratch.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
        yield f"{target.name}: energies of {len(files)} structures"


def _energies(
    files: Iterable[str],
    folder: Path,
    generate: GenerateInput,
    potential: Potential,
    cohesive: bool,
) -> Iterator[str]:
    symbols = sorted(generate.energies, key=list(generate.energies).index)
    yield _HEAD + " ".join(f"  #{symbol:<2}" for symbol in symbols) + " Path-of-input-file"
    for name in files:
        reading = read(name)
        atoms, wanted = reading.frames[0], reading.labels[0].energy or 0.0
        found = potential.evaluate(atoms, forces=False).energy
        numbers = [int((atoms.numbers == atomic_number(s)).sum()) for s in symbols]
        if not cohesive:
            off = sum(n * generate.energies[s] for n, s in zip(numbers, symbols, strict=True))
            wanted, found = wanted - off, found - off
        n = len(atoms)
        yield (
            f" {wanted:13.6E} {found:14.6E} {n:6d} {wanted / n:14.6E} {found / n:14.6E} "
            f"{(wanted - found) / n:14.6E} {(wanted - found) / n:14.6E} "
            + " ".join(f"{number:5d}" for number in numbers)
            + f" {os.path.relpath(name, folder)}"
        )
