"""What a tensor of a periodic structure is: a stress or a virial, in which unit and sign.

Stresses σ = (1/V) dE/dε grow with the volume, by the bulk modulus: dσ/d ln V = B.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnp.structure import Structure
from nnp.units import GPA

STRESS, VIRIAL = "stress in eV/Å³", "virial in eV"

# Bulk moduli of matter, eV/Å³: 3 to 640 GPa.
_SOFTEST, _HARDEST = 0.02, 4.0
# Fewer structures, or volumes closer than this (deviation of their logarithm), say nothing.
_FEWEST, _SPREAD = 10, 0.01
# Volumes per atom further from the median hold vacuum, or are another phase's.
_NEAR = 0.15
_TOGETHER = 0.5  # correlation


def kinds_of_tensor(structures: Sequence[Structure], trace: NDArray[np.float64]) -> list[str]:
    """What numbers can be that change with the volume, the likeliest first.

    Args:
        structures: with pbc along all axes.
        trace: (structures,) a third of each tensor's trace.

    Returns:
        Kinds whose bulk modulus is one of matter; empty where the volumes say nothing.
    """
    if len(structures) < _FEWEST:
        return []
    volume = np.array([structure.volume for structure in structures])
    atoms = np.array([len(structure) for structure in structures])
    near = np.abs(np.log(volume / atoms / np.median(volume / atoms))) < _NEAR
    structures = [structure for structure, own in zip(structures, near, strict=True) if own]
    volume, atoms, trace = volume[near], atoms[near], trace[near]
    groups = [_composition(structure) for structure in structures]
    x = _about_mean(np.log(volume / atoms), groups)
    if len(structures) < _FEWEST or x.std() < _SPREAD:
        return []
    found = {}
    for name, values in {
        STRESS: trace,
        VIRIAL: -trace / volume,
        "stress in GPa": trace * GPA,
        "stress in kbar": trace * GPA / 10,
        "stress with the opposite sign in eV/Å³": -trace,
        "stress with the opposite sign in GPa": -trace * GPA,
        "stress with the opposite sign in kbar": -trace * GPA / 10,
        "virial with the opposite sign in eV": trace / volume,
    }.items():
        y = _about_mean(values, groups)
        size = float(np.sqrt((x @ x) * (y @ y)))
        together = float(x @ y) / size if size > 0 else 0.0
        if together > _TOGETHER and _SOFTEST < float(x @ y / (x @ x)) < _HARDEST:
            found[name] = together
    return sorted(found, key=lambda name: -found[name])


def _composition(structure: Structure) -> tuple[tuple[int, float], ...]:
    numbers, counts = np.unique(structure.atomic_numbers, return_counts=True)
    shares = np.round(counts / len(structure), 6)
    return tuple(zip(numbers.tolist(), shares.tolist(), strict=True))


def _about_mean(values: NDArray[np.float64], groups: Sequence[object]) -> NDArray[np.float64]:
    """Values less the mean of those of the same composition."""
    labels = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    index = np.array([labels[group] for group in groups], np.int64)
    means = np.bincount(index, values) / np.bincount(index)
    about: NDArray[np.float64] = values - means[index]
    return about
