"""n2p2's normalisation of a data set, as factors of the residuals that its filter sees.

n2p2 fits E' = (E − N mean_energy) conv_energy and F' = F conv_energy / conv_length. These numbers
stand in input.nn, or ``normalize_data_set`` has them computed from all structures of input.data,
energies less ``atom_energy``, σ with n − 1:

    ref    ⟨E/N⟩ = 0, σ(E/N) = σ(F) = 1:  conv_energy = 1/σ(E/N), conv_length = σ(F)/σ(E/N)
    force  ⟨E/N⟩ = 0, σ(F) of labels and of the untrained networks = 1, these with inputs and
           weights as they are and energies that are pure numbers:
           conv_energy = σ(F_untrained)/σ(F), conv_length = σ(F_untrained)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnp.errors import OptionError, StructureError
from nnp.io.n2p2.settings import Settings
from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import build
from nnp.units import UnitSystem

_MODES = ("ref", "force", "stats-only")


@dataclass(frozen=True)
class Normalisation:
    """What residuals are multiplied with.

    Attributes:
        energy: 1/eV, of energies.
        force: Å/eV, of forces.
        mean_energy: eV per atom that every element's reference energy is raised by.
    """

    energy: float
    force: float
    mean_energy: float = 0.0


def normalisation(
    settings: Settings,
    data: Path,
    units: UnitSystem,
    offsets: Mapping[str, float],
    table: Mapping[str, Any],
) -> Normalisation:
    """What an input.nn asks for.

    Args:
        settings: its keywords.
        data: the input.data.
        units: of both.
        offsets: ``atom_energy``, eV.
        table: of the settings so far, without a loss; its files lie beside the data.

    Raises:
        OptionError: an unknown mode, or one that needs forces.
        StructureError: labels with nothing to divide by.
    """
    mode = _mode(settings)
    if mode is None:
        return _written(settings, units)
    dataset = Dataset.read(data, units=units)
    found = _from_labels(dataset, offsets, data)
    if mode == "ref":
        return found
    untrained = _spread(_untrained_forces(table, dataset, data.parent), "first forces", data)
    return replace(found, energy=untrained * found.force)


def _written(settings: Settings, units: UnitSystem) -> Normalisation:
    """As the keywords ``mean_energy``, ``conv_energy`` and ``conv_length`` say; else none."""
    number = settings.number
    for keyword in ("conv_energy", "conv_length"):
        if not number(keyword, 1.0) > 0:
            raise settings.required(keyword).error("must be positive")
    energy = number("conv_energy", 1.0) / units.energy_in_ev
    force = energy * units.length_in_angstrom / number("conv_length", 1.0)
    return Normalisation(energy, force, number("mean_energy", 0.0) * units.energy_in_ev)


def _mode(settings: Settings) -> str | None:
    """``"ref"`` or ``"force"``; None where nothing is to be computed."""
    entry = settings.one("normalize_data_set")
    if entry is None:
        return None
    entry.expect(1)
    mode = entry.arguments[0]
    if mode not in _MODES:
        raise OptionError(
            f"{entry.where}: normalize_data_set {mode}: allowed are {', '.join(_MODES)}"
        )
    if mode == "force" and not settings.flag("use_short_forces"):
        raise OptionError(
            f"{entry.where}: normalize_data_set force needs forces: write use_short_forces, or ref"
        )
    return None if mode == "stats-only" else mode


def _from_labels(dataset: Dataset, offsets: Mapping[str, float], where: Path) -> Normalisation:
    """That of ``ref``."""
    per_atom = [
        (frame.energy - sum(offsets.get(s, 0.0) for s in frame.structure.symbols)) / len(frame)
        for frame in dataset
        if frame.energy is not None and len(frame)
    ]
    spread = _spread(np.array(per_atom), "energies per atom", where)
    forces = [frame.forces.ravel() for frame in dataset if frame.forces is not None]
    force = 1.0 / (_spread(np.concatenate(forces), "forces", where) if forces else spread)
    return Normalisation(1.0 / spread, force, float(np.mean(per_atom)))


def _untrained_forces(table: Mapping[str, Any], dataset: Dataset, folder: Path) -> np.ndarray:
    """Of the first weights, for all structures; 1/Å of a network's own energy."""
    functions = table["functions"] | {"file": str(folder / table["functions"]["file"])}
    run = table["run"] | {"store_columns": False}
    settings = from_table(TrainingSettings, {**table, "functions": functions, "run": run}, "")
    task = build(settings, dataset, Dataset(()), quiet=True)
    found = [task.model.predict(task.theta, [sample])[0].forces for sample in task.train]
    return np.concatenate([forces.numpy().ravel() for forces in found if forces is not None])


def _spread(values: np.ndarray, what: str, where: Path) -> float:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if not spread > 0:
        raise StructureError(
            f"{where}: the {len(values)} {what} are all the same, so that normalize_data_set has "
            "nothing to divide by: take the keyword out"
        )
    return spread
