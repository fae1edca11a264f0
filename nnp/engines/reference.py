"""The reference engine: torch, float64, autograd; slow, obvious, portable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnp.distribution import install
from nnp.engines.contract import Capabilities, Engine
from nnp.engines.vectors import vector
from nnp.errors import NumericalError, UnavailableError
from nnp.evaluation import Evaluation, Extrapolations, voigt
from nnp.neighbors import NeighborList
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

from nnp.engines.reference_products import (
    Block,
    Work,
    change,
    pair_gradient,
    require_autograd,
)
from nnp.reference.model import AtomicEnergies


class ReferenceEngine(Engine):
    """Evaluates a potential with `nnp.reference`, a block of atoms at a time.

    Args:
        potential: what to evaluate.
    """

    name = "reference"
    capabilities = Capabilities(products=True, virials=True, autograd=True)

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self._model = AtomicEnergies(potential)

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
        work = Work(self.potential, structure)
        energies = np.empty(len(structure))
        gradient_pc = np.zeros((len(work.pairs.i), 3))
        outside = []
        for block in work.blocks:
            chunk, functions, gradient = self._differentiate(
                block, work, forces or stress or virials
            )
            energies[block.first : block.last] = chunk
            gradient_pc[block.span] = gradient
            outside.append(self._extrapolations(functions, work.elements, block))
        virial_ncc = _by_centre(work.pairs, gradient_pc, len(structure))
        force_nc = work.scatter(gradient_pc) if forces else None
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
        work = Work(self.potential, structure)
        result: list[NDArray[np.float64]] = [np.empty(0)] * len(structure)
        for block in work.blocks:
            _, functions, _ = self._differentiate(block, work, False)
            for model, (atoms, values) in zip(
                self.potential.models,
                self._by_element(functions, work.elements, block),
                strict=True,
            ):
                scaling = model.scaling
                rows = scaling.factor * values + scaling.offset if scaled else values
                for atom, row in zip(atoms, rows, strict=True):
                    result[atom] = row
        return result

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """See `Engine.descriptor_vjp`."""
        work = Work(self.potential, structure)
        dl_dg = vector("dl_dg", dl_dg, int(work.starts[-1]))
        gradient_pc = pair_gradient(self._model, work, dl_dg)
        return -work.scatter(gradient_pc), work.pairs.vectors.T @ gradient_pc if strain else None

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """See `Engine.descriptor_jvp`."""
        work = Work(self.potential, structure)
        change_pc = np.zeros((len(work.pairs.i), 3))
        if displacement is not None:
            moved = vector("displacement", displacement, 3 * len(structure)).reshape(-1, 3)
            change_pc += moved[work.pairs.j] - moved[work.pairs.i]
        if strain is not None:
            change_pc += work.pairs.vectors @ vector("strain", strain, 9).reshape(3, 3)
        return change(self._model, work, change_pc)

    def _differentiate(
        self, block: Block, work: Work, derivative: bool
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], NDArray[np.float64] | float]:
        """Energies, functions per element, and dE/dr_ij of one block."""
        vector_pc = work.vectors(block).requires_grad_(derivative)
        with torch.set_grad_enabled(derivative):
            energies, functions = work(self._model, block, vector_pc)
        gradient: NDArray[np.float64] | float = 0.0
        if derivative:
            # the second term makes the sum depend on the vectors even where no function does
            total = energies.sum() + 0 * vector_pc.sum()
            require_autograd(total.requires_grad)
            (grad,) = torch.autograd.grad(total, vector_pc)
            gradient = grad.numpy()
        return energies.detach().numpy(), [f.detach().numpy() for f in functions], gradient

    def _by_element(
        self, functions: list[NDArray[np.float64]], elements: NDArray[np.int64], block: Block
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        for index, values in enumerate(functions):
            mine = elements[block.first : block.last] == index
            yield block.first + np.flatnonzero(mine), values

    def _extrapolations(
        self, functions: list[NDArray[np.float64]], elements: NDArray[np.int64], block: Block
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
