"""Products with the Jacobian of the symmetry functions, without and with storing it.

J = dG/dr of one structure. Forces are F = −Jᵀ dE/dG, and the gradient of a loss of forces needs
J v: the engine computes both in the time of one evaluation, so nothing is stored. Second-order
optimisers need single columns of J (one per force component and candidate): `columns` computes
them by products with unit vectors, `stored_columns` keeps them. See docs/decisions/0010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.engines.cpu import CpuEngine
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.symmetry_functions import SymmetryFunction

# Voigt order xx, yy, zz, yz, xz, xy
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of J for some force components, one element's rows of them, without the zeros.

    Attributes:
        centers: (k, m) atoms (counted within the element) whose functions feel the component;
            padded with 0.
        values: (k, m, s) dG of each such atom; zero where padded.
    """

    centers: NDArray[np.int64]
    values: NDArray[np.float64]


class DescriptorProducts:
    """G, J v and Jᵀ v of the raw functions of structures.

    Functions are laid out atom after atom, padded to the widest element: (n, widest).

    Args:
        functions: per element symbol, in canonical order.
        threads: of the engine.
    """

    def __init__(
        self, functions: dict[str, tuple[SymmetryFunction, ...]], threads: int | None = 1
    ) -> None:
        self._potential = _blank_potential(functions)
        self._engine = CpuEngine(self._potential, threads=threads, skin=0.0)
        widths = [len(model.functions) for model in self._potential.models]
        self.widths = np.array(widths)
        self.widest = max(widths)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols, by atomic number."""
        return self._potential.elements

    def element_indices(self, structure: Structure) -> NDArray[np.int64]:
        """(n,) index into `elements` of each atom."""
        return self._potential.element_indices(structure)

    def descriptors(self, structure: Structure) -> NDArray[np.float64]:
        """(n, widest) G."""
        return self._padded(structure, np.concatenate(self._engine.descriptors(structure)))

    def vjp(self, structure: Structure, dl_dg: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) dL/dr from dL/dG (n, widest)."""
        return self._engine.descriptor_vjp(structure, dl_dg[self._mask(structure)])[0]

    def jvp(self, structure: Structure, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, widest) dG along a displacement (n, 3)."""
        return self._padded(structure, self._engine.descriptor_jvp(structure, direction))

    def strain(self, structure: Structure) -> NDArray[np.float64]:
        """(6, n, widest) dG/d(strain) in Voigt order, each off-diagonal pair strained half-half."""
        rows = np.empty((6, len(structure), self.widest))
        for row, (a, b) in zip(rows, VOIGT, strict=True):
            strain = np.zeros((3, 3))
            strain[a, b] += 0.5
            strain[b, a] += 0.5
            row[:] = self._padded(structure, self._engine.descriptor_jvp(structure, strain=strain))
        return rows

    def columns(self, structure: Structure, components: NDArray[np.int64]) -> list[Columns]:
        """Columns of J for force components 3 a + c, per element."""
        elements = self.element_indices(structure)
        local = within_element(elements)
        found: list[list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = [[] for _ in self.widths]
        direction = np.zeros((len(structure), 3))
        for component in components:
            direction.flat[component] = 1.0
            change = self.jvp(structure, direction)
            direction.flat[component] = 0.0
            felt = change.any(axis=1)
            for element, (rows, width) in enumerate(zip(found, self.widths, strict=True)):
                mine = felt & (elements == element)
                rows.append((local[mine], change[mine, :width]))
        return [_pad(rows, int(width)) for rows, width in zip(found, self.widths, strict=True)]

    def _mask(self, structure: Structure) -> NDArray[np.bool_]:
        widths = self.widths[self.element_indices(structure)]
        return np.arange(self.widest) < widths[:, None]

    def _padded(self, structure: Structure, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        full = np.zeros((len(structure), self.widest))
        full[self._mask(structure)] = flat
        return full


def within_element(elements: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) number of each atom among the atoms of its element.

    >>> within_element(np.array([0, 1, 1, 0]))
    array([0, 0, 1, 1])
    """
    local = np.empty(len(elements), np.int64)
    for element in np.unique(elements):
        mine = np.flatnonzero(elements == element)
        local[mine] = np.arange(len(mine))
    return local


def _pad(rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]], width: int) -> Columns:
    longest = max((len(centers) for centers, _ in rows), default=0)
    all_centers = np.zeros((len(rows), longest), np.int64)
    all_values = np.zeros((len(rows), longest, width))
    for row, (centers, values) in enumerate(rows):
        all_centers[row, : len(centers)] = centers
        all_values[row, : len(centers)] = values
    return Columns(all_centers, all_values)


def _blank_potential(functions: dict[str, tuple[SymmetryFunction, ...]]) -> Potential:
    """A potential with these functions: the products need nothing else of one."""
    models = []
    for symbol, own in functions.items():
        n = len(own)
        zeros, ones = np.zeros(n), np.ones(n)
        scaling = Scaling(zeros, ones, zeros, ones, ScalingMode.NONE)
        network = Network((np.zeros((n, 1)),), (np.zeros(1),), (Activation.IDENTITY,))
        models.append(ElementModel(symbol, tuple(own), scaling, network))
    return Potential(tuple(models))
