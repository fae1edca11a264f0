"""Partial radial distributions and bond angles of trajectories, with ASE's tools."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import get_angles
from ase.geometry.rdf import get_rdf
from ase.neighborlist import neighbor_list

PARTIAL = {"Si-Si": (14, 14), "Si-O": (14, 8), "O-O": (8, 8)}
ANGLES = {"O-Si-O": ("Si", "O"), "Si-O-Si": ("O", "Si")}  # name: apex, ends
_BOND = 2.2  # Å, first minimum of the Si-O distribution
_BINS = 120
_ANGLE_BINS = np.linspace(60.0, 180.0, 61)  # degrees


def distribution(frames: list[Atoms], name: str, r_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean partial g(r): distances (Å) and values."""
    parts = [get_rdf(frame, r_max, _BINS, elements=PARTIAL[name]) for frame in frames]
    return parts[0][1], np.mean([g for g, _ in parts], axis=0)


def angles(frames: list[Atoms], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Distribution of a bond angle: degrees and density per degree."""
    apex, end = ANGLES[name]
    found = np.concatenate([_angles(frame, apex, end) for frame in frames])
    density, edges = np.histogram(found, _ANGLE_BINS, density=True)
    return (edges[1:] + edges[:-1]) / 2, density


def _angles(atoms: Atoms, apex: str, end: str) -> np.ndarray:
    i, bonds = neighbor_list("iD", atoms, {(apex, end): _BOND})
    chosen = atoms.symbols[i] == apex
    i, bonds = i[chosen], bonds[chosen]
    # Bonds of one atom stand in a row: each with those behind it
    first, second = np.nonzero(np.triu(i[:, None] == i[None, :], 1))
    return get_angles(bonds[first], bonds[second])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Shared part of two densities on the same bins: 1 for equal ones."""
    return float(np.minimum(one, other).sum() / one.sum())
