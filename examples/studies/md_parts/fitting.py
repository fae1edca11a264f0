"""A potential from labelled frames, and its errors over others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ase.io
from ase import Atoms

from nnp import Potential
from nnp.train import Dataset, evaluate, read_settings, train
from nnp.train.sampling import SampleSettings


def between(settings: SampleSettings) -> SampleSettings:
    """Three snapshots each at temperatures that are not those of the training, for testing."""
    lower = tuple(temperature - 100.0 for temperature in settings.temperatures)
    return replace(settings, temperatures=lower, snapshots=3, seed=settings.seed + 100)


def learnt(frames: list[Atoms], settings: str, folder: Path) -> Potential:
    """A potential fitted to frames; data, settings, logs and models stay in ``folder``."""
    ase.io.write(folder / "frames.extxyz", frames)
    (folder / "fit.toml").write_text(settings, encoding="utf-8")
    return train(read_settings(folder / "fit.toml"), force=True).potential


def errors(potential: Potential, frames: list[Atoms]) -> tuple[list[str], list[list[str]]]:
    """Table of errors per group."""
    return evaluate(potential, Dataset.from_atoms(frames)).table()
