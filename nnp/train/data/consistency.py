"""Whether labels belong together: energies with forces, stresses with volumes.

Along consecutive structures of the same atoms energies change by the work of the forces; stresses
grow with the volume as a bulk modulus says. Where they do not, a unit or a sign is another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnp.train.data.dataset import Dataset
from nnp.train.data.findings import Finding
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.tensors import STRESS, kinds_of_tensor
from nnp.units import BOHR, HARTREE, KCAL_PER_MOL

# Å: steps beyond are not steps along one path.
_LONGEST_STEP = 0.5
_FEWEST_STEPS = 10
_FEWEST_STRESSES = 3
# Correlation from which a slope means something, and how far it may be from a known one.
_TOGETHER, _NEAR = 0.9, 0.2
# Change of energy over the work of the forces, by what would explain it.
_SLOPES = {
    "energies are in hartree and forces in eV/Å": 1 / HARTREE,
    "energies are in eV and forces in hartree/bohr": HARTREE / BOHR,
    "forces are in hartree/bohr, energies in hartree, and both are taken for eV": 1 / BOHR,
    "positions are in bohr, or forces in eV/bohr": BOHR,
    "energies are in kcal/mol and forces in eV/Å": 1 / KCAL_PER_MOL,
    "energies are in eV and forces in kcal/mol/Å": KCAL_PER_MOL,
}


def look(dataset: Dataset) -> Iterator[Finding]:
    """Findings of the whole set."""
    yield from _work(dataset)
    yield from _stresses(dataset)


def _work(dataset: Dataset) -> Iterator[Finding]:
    steps = [_step(a, b) for a, b in zip(dataset.frames, dataset.frames[1:], strict=False)]
    known = np.array([step for step in steps if step is not None])
    if len(known) < _FEWEST_STEPS:
        return
    energy, work, atoms = known.T
    size = np.sqrt((energy**2).sum() * (work**2).sum())
    together = float(energy @ work / size) if size > 0 else 0.0
    if abs(together) < _TOGETHER:
        return
    slope = float(energy @ work / (work @ work))
    if abs(slope - 1) < _NEAR:
        return
    causes = [text for text, value in _SLOPES.items() if abs(slope / value - 1) < _NEAR]
    if abs(slope * atoms.mean() - 1) < _NEAR:
        causes.insert(0, "energies are per atom")
    if slope < 0:
        causes = ["forces have the opposite sign (gradients)"]
    likely = f": it looks as if {' or '.join(causes)}" if causes else ""
    yield Finding(
        f"{len(known)} pairs of consecutive structures",
        f"energies change by {slope:.3g} times the work of the forces{likely}",
    )


def _step(a: LabelledStructure, b: LabelledStructure) -> tuple[float, float, float] | None:
    """Change of energy and work along a step, eV, and atoms; None where it is none."""
    if a.where.rpartition(",")[0] != b.where.rpartition(",")[0]:  # of two files
        return None
    if a.energy is None or b.energy is None or a.forces is None or b.forces is None:
        return None
    s, t = a.structure, b.structure
    if not np.array_equal(s.atomic_numbers, t.atomic_numbers) or not np.allclose(s.cell, t.cell):
        return None
    moved = t.positions - s.positions
    if s.pbc.any():
        periodic = s.cell[s.pbc]
        moved = moved - np.round(moved @ np.linalg.pinv(periodic)) @ periodic
    if not 0 < np.abs(moved).max(initial=0.0) < _LONGEST_STEP:
        return None
    work = -0.5 * float(((a.forces + b.forces) * moved).sum())
    return b.energy - a.energy, work, float(len(a))


def _stresses(dataset: Dataset) -> Iterator[Finding]:
    known = [f for f in dataset if f.stress is not None and f.structure.pbc.all()]
    trace = np.array([f.stress[:3].mean() for f in known if f.stress is not None])
    if repeated := _repeated(known):
        yield Finding("stresses", repeated)
        return
    kinds = kinds_of_tensor([frame.structure for frame in known], trace)
    if kinds and STRESS not in kinds:
        yield Finding(
            "stresses",
            "judging by how they change with the volume, they are not stresses in eV/Å³ but "
            f"{' or '.join(kinds)}: name the right key (--stress-key, --virial-key), or convert "
            "them",
        )


def _repeated(known: list[LabelledStructure]) -> str:
    """What is wrong with stresses that are one number, as of programs that did not compute them."""
    tensors = np.array([frame.stress for frame in known if frame.stress is not None])
    if len(known) < _FEWEST_STRESSES:
        return ""
    zeros = int((~tensors.any(axis=1)).sum())
    if zeros:
        return (
            f"{zeros} of {len(known)} are exactly zero, as where a program did not compute them: "
            "remove these labels"
        )
    if not np.ptp(tensors, axis=0).any():
        return (
            f"all {len(known)} structures have the same stress: remove it where it was not computed"
        )
    return ""
