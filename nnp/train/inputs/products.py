"""Products with the Jacobian of the symmetry functions, without and with storing it.

J = dG/dr of one structure. Forces are F = −Jᵀ dE/dG, and the gradient of a loss of forces needs
J v: the engine computes both in the time of one evaluation, so nothing is stored. Second-order
optimisers need single columns of J (one per force component and candidate): `columns` computes
them by products with unit vectors. See docs/decisions/0010.

Tensors lie on the device of the fit; what the engine takes and returns is its own affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.functions import SymmetryFunction
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.train.inputs.product_engines import make_engine

# Voigt order xx, yy, zz, yz, xz, xy
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
# Columns of J that are computed at once: bounds what is held with its zeros.
_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of J for some force components, one element's rows of them, without the zeros.

    Attributes:
        centers: (k, m) atoms (counted within the element) whose functions feel the component;
            any others where fewer than m do.
        values: (k, m, s) dG of each such atom; zero for the others.
    """

    centers: Tensor
    values: Tensor

    def dot(self, gradient: Tensor) -> Tensor:
        """(k,) Σ values · g of the components, for g (n_e, s)."""
        k = len(self.centers)
        felt = gradient.index_select(0, self.centers.view(-1)).view(k, -1)
        return felt.mul_(self.values.view(k, -1)).sum(1)


@dataclass(frozen=True, eq=False)
class Place:
    """A structure as the products take it.

    Attributes:
        structure: the atoms.
        handle: the same for the engine.
        atoms: per element, indices of its atoms.
        order: where the functions, element after element, lie in the engine's order, which goes
            atom after atom; None where the two are the same.
        back: the inverse.
    """

    structure: Structure
    handle: object
    atoms: list[Tensor]
    order: Tensor | None
    back: Tensor | None

    @property
    def nbytes(self) -> int:
        """Of the numbers, without the structure."""
        known = [t for t in (self.order, self.back, *self.atoms) if t is not None]
        own: int = sum(tensor.nbytes for tensor in known)
        return own + int(getattr(self.handle, "nbytes", 0))


class DescriptorProducts:
    """G, J v and Jᵀ v of the raw functions of structures, as one array (n_e, s_e) per element.

    All arrays in float64, Å.

    Args:
        functions: per element symbol, in canonical order.
        threads: of the engine, where it runs on the CPU.
        device: where tensors lie; decides the engine.
        dtype: of the arithmetic, on the CPU.

    Raises:
        UnavailableError: the device's engine cannot run here.
    """

    def __init__(
        self,
        functions: dict[str, tuple[SymmetryFunction, ...]],
        threads: int | None = 1,
        device: torch.device | str = "cpu",
        dtype: str = "float64",
    ) -> None:
        self.dtype = dtype
        self.device = torch.device(device)
        self._potential = _blank_potential(functions)
        self._engine = make_engine(self._potential, self.device, threads, dtype)
        self.widths = [len(model.functions) for model in self._potential.models]

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols, by atomic number."""
        return self._potential.elements

    def place(self, structure: Structure) -> Place:
        """What every product of a structure needs."""
        elements = self._potential.element_indices(structure)
        atoms = [np.flatnonzero(elements == e) for e in range(len(self.widths))]
        order = back = None
        if len(self.widths) > 1:
            rows = _rows(elements, atoms, self.widths)
            order, back = self.index(rows), self.index(np.argsort(rows))
        handle = self._engine.handle(structure)
        return Place(structure, handle, [self.index(a) for a in atoms], order, back)

    def descriptors(self, place: Place) -> list[Tensor]:
        """(n_e, s_e) G."""
        return self._parted(place, self._engine.descriptors(place.handle))

    def vjp(self, place: Place, dl_dg: Sequence[Tensor]) -> Tensor:
        """(n, 3) dL/dr from dL/dG (n_e, s_e)."""
        flat = torch.cat([part.reshape(-1) for part in dl_dg])
        flat = flat if place.back is None else flat[place.back]
        return self._engine.vjp(place.handle, flat.to(torch.float64))

    def jvp(self, place: Place, direction: Tensor) -> list[Tensor]:
        """(n_e, s_e) dG along a displacement (n, 3)."""
        direction = direction.to(torch.float64)
        return self._parted(place, self._engine.jvp(place.handle, direction, None))

    def strain(self, place: Place) -> list[Tensor]:
        """(6, n_e, s_e) dG/d(strain) in Voigt order, each off-diagonal pair strained half-half."""
        rows = []
        for a, b in VOIGT:
            strain = np.zeros((3, 3))
            strain[a, b] += 0.5
            strain[b, a] += 0.5
            rows.append(self._parted(place, self._engine.jvp(place.handle, None, strain)))
        return [torch.stack(parts) for parts in zip(*rows, strict=True)]

    def columns(self, place: Place, components: NDArray[np.int64]) -> list[Columns]:
        """Columns of J for force components 3 a + c, per element."""
        chunks = [
            self._some_columns(place, components[at : at + _AT_ONCE])
            for at in range(0, max(len(components), 1), _AT_ONCE)
        ]
        return [_joined(parts) for parts in zip(*chunks, strict=True)]

    def _some_columns(self, place: Place, components: NDArray[np.int64]) -> list[Columns]:
        shapes, k = self._shapes(place), len(components)
        directions = self._zeros(k, len(place.structure), 3)
        directions.view(k, 3 * len(place.structure)).scatter_(
            1, self.index(components)[:, None], 1.0
        )
        changes = self._zeros(k, sum(n * s for n, s in shapes))
        for change, direction in zip(changes, directions.view(k, -1, 3), strict=True):
            change.copy_(self._engine.jvp(place.handle, direction, None))
        if place.order is not None:
            changes = changes[:, place.order]
        parts = torch.split(changes, [n * s for n, s in shapes], 1)
        return [
            _without_zeros(part.reshape(k, *shape))
            for part, shape in zip(parts, shapes, strict=True)
        ]

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=self.device)

    def _shapes(self, place: Place) -> list[tuple[int, int]]:
        return [(len(a), s) for a, s in zip(place.atoms, self.widths, strict=True)]

    def index(self, array: NDArray[np.int64]) -> Tensor:
        """Numbers of the host, to take rows of tensors with."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _parted(self, place: Place, flat: Tensor) -> list[Tensor]:
        flat = flat if place.order is None else flat[place.order]
        shapes = self._shapes(place)
        parts = torch.split(flat, [n * s for n, s in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def _rows(
    elements: NDArray[np.int64], atoms: Sequence[NDArray[np.int64]], widths: Sequence[int]
) -> NDArray[np.int64]:
    """Places in the flat array of the functions, element after element.

    >>> _rows(np.array([1, 0, 1]), [np.array([1]), np.array([0, 2])], [3, 2])
    array([2, 3, 4, 0, 1, 5, 6])
    """
    counts = np.array(widths)[elements]
    starts = np.cumsum(counts) - counts
    blocks = [
        (starts[own, None] + np.arange(s)).ravel() for own, s in zip(atoms, widths, strict=True)
    ]
    return np.concatenate(blocks)


def _without_zeros(values: Tensor) -> Columns:
    """Those atoms of (k, n_e, s) that feel a component, first; as many as feel any."""
    felt = values.any(dim=2)
    longest = int(felt.sum(dim=1).max()) if felt.numel() else 0
    centers = felt.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :longest]
    return Columns(centers, values.gather(1, centers[:, :, None].expand(-1, -1, values.shape[2])))


def _joined(parts: Sequence[Columns]) -> Columns:
    longest = max(part.centers.shape[1] for part in parts)
    centers = [_widened(part.centers, longest) for part in parts]
    values = [_widened(part.values, longest) for part in parts]
    return Columns(torch.cat(centers), torch.cat(values))


def _widened(tensor: Tensor, length: int) -> Tensor:
    """Zeros up to a length along the second axis."""
    missing = length - tensor.shape[1]
    if not missing:
        return tensor
    padding = tensor.new_zeros((tensor.shape[0], missing, *tensor.shape[2:]))
    return torch.cat([tensor, padding], 1)


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
