"""A potential from labelled frames, and its errors over others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ase.io
from ase import Atoms

from nnp import Potential
from nnp.train import Dataset, evaluate, read_settings, train
from nnp.train.data.sampling import SampleSettings


def between(settings: SampleSettings) -> SampleSettings:
    """Three snapshots each at temperatures that are not those of the training, for testing."""
    lower = tuple(temperature - 100.0 for temperature in settings.temperatures)
    return replace(settings, temperatures=lower, snapshots=3, seed=settings.seed + 100)


def learnt(frames: list[Atoms], settings: Path, folder: Path, epochs: int) -> Potential:
    """A potential fitted to frames by the settings of a TOML file.

    Data, logs and models stay in ``folder``.
    """
    data = folder / "frames.extxyz"
    ase.io.write(data, frames)
    told = read_settings(settings)
    output = str(folder / "training")
    here = replace(
        told,
        data=replace(told.data, train=(str(data),), validation=()),
        run=replace(told.run, epochs=epochs, evaluate_every=min(epochs, 10), output=output),
    )
    return train(here, force=True).potential


def errors(potential: Potential, frames: list[Atoms]) -> tuple[list[str], list[list[str]]]:
    """Table of errors per group."""
    return evaluate(potential, Dataset.from_atoms(frames)).table()
