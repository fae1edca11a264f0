"""The reference engine: torch, float64, autograd; slow, obvious, portable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.distribution import install
from nnp.engines.contract import Capabilities, Engine
from nnp.errors import NumericalError, UnavailableError
from nnp.evaluation import Evaluation, Extrapolations, voigt
from nnp.neighbors import NeighborList, neighbor_list
from nnp.potential import Potential
from nnp.scaling import EXTRAPOLATION_TOLERANCE
from nnp.structure import Structure

try:
    import torch
except ImportError as error:
    raise UnavailableError(
        f"engine='reference' needs torch, which is not installed: {install('torch')}, or "
        "use engine='cpu'"
    ) from error

from nnp.reference.model import AtomicEnergies

# Triples times functions of one block of atoms. Autograd keeps about thirty arrays of this many
# float64: 0.5 GB.
_BLOCK_ELEMENTS = 2_000_000


@dataclass(frozen=True)
class _Block:
    """Centres ``first`` to ``last`` and their pairs ``begin`` to ``end`` (exclusive)."""

    first: int
    last: int
    begin: int
    end: int


class ReferenceEngine(Engine):
    """Evaluates a potential with `nnp.reference`, a block of atoms at a time.

    Args:
        potential: what to evaluate.
    """

    name = "reference"
    capabilities = Capabilities(virials=True, autograd=True)

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self._model = AtomicEnergies(potential)
        self._widest = max((len(model.functions) for model in potential.models), default=1)

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """See `Engine.compute`."""
        volume = structure.volume if stress else 0.0
        elements = self.potential.element_indices(structure)
        pairs = neighbor_list(structure, self.potential.cutoff)
        energies = np.empty(len(structure))
        gradient_pc = np.zeros((len(pairs.i), 3))
        outside = []
        for block in _blocks(pairs, len(structure), self._widest):
            chunk, functions, gradient = self._differentiate(
                block, elements, pairs, forces or stress or virials
            )
            energies[block.first : block.last] = chunk
            gradient_pc[block.begin : block.end] = gradient
            outside.append(self._extrapolations(functions, elements, block))
        virial_ncc = _by_centre(pairs, gradient_pc, len(structure))
        force_nc = _scatter(pairs, gradient_pc, len(structure)) if forces else None
        _require_finite(energies, force_nc)
        return Evaluation(
            energy=float(energies.sum()),
            energies=energies,
            forces=force_nc,
            stress=voigt(virial_ncc.sum(axis=0) / volume) if stress else None,
            extrapolations=_joined(outside),
            virials=virial_ncc if virials else None,
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `Engine.descriptors`."""
        elements = self.potential.element_indices(structure)
        pairs = neighbor_list(structure, self.potential.cutoff)
        result: list[NDArray[np.float64]] = [np.empty(0)] * len(structure)
        for block in _blocks(pairs, len(structure), self._widest):
            _, functions, _ = self._differentiate(block, elements, pairs, False)
            for model, (atoms, values) in zip(
                self.potential.models, self._by_element(functions, elements, block), strict=True
            ):
                scaling = model.scaling
                rows = scaling.factor * values + scaling.offset if scaled else values
                for atom, row in zip(atoms, rows, strict=True):
                    result[atom] = row
        return result

    def _differentiate(
        self, block: _Block, elements: NDArray[np.int64], pairs: NeighborList, derivative: bool
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], NDArray[np.float64] | float]:
        """Energies, functions per element, and dE/dr_ij of one block."""
        span = slice(block.begin, block.end)
        vector_pc = torch.from_numpy(pairs.vectors[span]).requires_grad_(derivative)
        with torch.set_grad_enabled(derivative):
            energies, functions = self._model(
                torch.from_numpy(elements[block.first : block.last]),
                torch.from_numpy(pairs.i[span] - block.first),
                torch.from_numpy(elements[pairs.j[span]]),
                vector_pc,
            )
        gradient: NDArray[np.float64] | float = 0.0
        if derivative:
            # the second term makes the sum depend on the vectors even where no function does
            total = energies.sum() + 0 * vector_pc.sum()
            if not total.requires_grad:
                raise UnavailableError(
                    "engine='reference' cannot differentiate here: torch has switched autograd "
                    "off (inside a torch operator or inference_mode); call it from outside"
                )
            (grad,) = torch.autograd.grad(total, vector_pc)
            gradient = grad.numpy()
        return energies.detach().numpy(), [f.detach().numpy() for f in functions], gradient

    def _by_element(
        self, functions: list[NDArray[np.float64]], elements: NDArray[np.int64], block: _Block
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        for index, values in enumerate(functions):
            mine = elements[block.first : block.last] == index
            yield block.first + np.flatnonzero(mine), values

    def _extrapolations(
        self, functions: list[NDArray[np.float64]], elements: NDArray[np.int64], block: _Block
    ) -> Extrapolations:
        found = []
        for model, (atoms, values) in zip(
            self.potential.models, self._by_element(functions, elements, block), strict=True
        ):
            minimum, maximum = model.scaling.minimum, model.scaling.maximum
            width = maximum - minimum
            margin = EXTRAPOLATION_TOLERANCE["float64"] * width
            excess = np.minimum(values - minimum, 0) + np.maximum(values - maximum, 0)
            row, function = np.nonzero(np.abs(excess) > margin)
            with np.errstate(divide="ignore"):  # a function that was constant: infinitely far
                relative = excess[row, function] / width[function]
            found.append(Extrapolations(atoms[row], function, excess[row, function], relative))
        return _joined(found)


def _blocks(pairs: NeighborList, n: int, widest: int) -> Iterator[_Block]:
    """Split atoms so that no block has more than ``_BLOCK_ELEMENTS`` triples × functions."""
    counts = np.bincount(pairs.i, minlength=n)
    ends = np.cumsum(counts)
    work = np.cumsum((counts * (counts - 1) // 2 + counts) * widest)
    first = 0
    while first < n:
        done = work[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(work, done + _BLOCK_ELEMENTS, side="right")))
        yield _Block(first, last, int(ends[first] - counts[first]), int(ends[last - 1]))
        first = last


def _scatter(pairs: NeighborList, gradient_pc: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """F = −dE/dr from dE/dr_ij, r_ij = r_j − r_i + …"""
    forces = np.zeros((n, 3))
    np.add.at(forces, pairs.i, gradient_pc)
    np.subtract.at(forces, pairs.j, gradient_pc)
    return forces


def _by_centre(
    pairs: NeighborList, gradient_pc: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """(n, 3, 3) Σ_j r_ij ⊗ dE_i/dr_ij."""
    virials = np.zeros((n, 3, 3))
    np.add.at(virials, pairs.i, pairs.vectors[:, :, None] * gradient_pc[:, None, :])
    return virials


def _joined(parts: list[Extrapolations]) -> Extrapolations:
    arrays = (
        np.concatenate([getattr(part, name) for part in parts] or [np.empty(0)])
        for name in ("atoms", "functions", "excess", "relative")
    )
    atoms, functions, excess, relative = arrays
    order = np.lexsort((functions, atoms))
    return Extrapolations(
        atoms[order].astype(np.int64),
        functions[order].astype(np.int64),
        excess[order],
        relative[order],
    )


def _require_finite(energies: NDArray[np.float64], forces: NDArray[np.float64] | None) -> None:
    finite = np.isfinite(energies)
    if forces is not None:
        finite = finite & np.isfinite(forces).all(axis=1)
    if not finite.all():
        atom = int(np.argmin(finite))
        raise NumericalError(
            f"energy or force of atom {atom} is not finite: the structure is far outside what the "
            "potential was trained on; look at the atoms around this one"
        )
