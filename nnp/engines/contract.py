# ruff: noqa: ARG002  # what an engine lacks is refused here, whatever the arguments
"""What an engine is: the whole contract, as the class that all engines derive from.

An engine is made for one potential and kept warm: buffers and neighbour lists live in it. Calls
from several threads take turns, as far as they share them. Outside packages offer engines by the
entry point group ``nnp.engines`` (name = "package.module:Class"); the class is called with the
potential and the options that its constructor names. `nnp.testing.check_engine` runs the contract
over an engine.

Å and eV everywhere; F = −dE/dr; stress = (1/V) dE/dε; order xx, yy, zz, yz, xz, xy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError, UnavailableError
from nnp.evaluation import ArrayEvaluation, Evaluation
from nnp.potential import Potential
from nnp.structure import Structure


@dataclass(frozen=True)
class Capabilities:
    """What an engine does beyond energies, forces, stress and functions of structures.

    Attributes:
        products: `Engine.descriptor_vjp` and `Engine.descriptor_jvp`.
        arrays: the methods that take arrays where they lie, on a GPU (`Engine.takes`).
        virials: the virial of each atom, `Engine.compute` with ``virials=True``.
        terms: adds `Potential.terms` by itself; else `create_engine` has them added in Python.
        autograd: needs torch's autograd switched on, as it is not inside a torch operator.
    """

    products: bool = False
    arrays: bool = False
    virials: bool = False
    terms: bool = False
    autograd: bool = False


class Engine(ABC):
    """Evaluates one potential.

    Attributes:
        name: the name that users give, such as ``"cpu"``.
        potential: the potential that it evaluates.
        capabilities: optional features beyond the two methods that every engine has.
        dtype: precision of its arithmetic, such as ``"float64"``.
    """

    name: str
    potential: Potential
    capabilities: Capabilities = Capabilities()
    dtype: str = "float64"

    # ---- what every engine does ----------------------------------------------------------------

    @abstractmethod
    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """Energy of a structure and, on request, forces, stress and virials of the atoms.

        Args:
            structure: the atoms; not modified.
            forces: whether to return (n, 3) forces, eV/Å.
            stress: whether to return the (6,) stress, eV/Å³; needs three periodic axes.
            virials: whether to return (n, 3, 3) Σ_j r_ij ⊗ dE_i/dr_ij of each atom i, eV, which add
                up to stress · V.

        Returns:
            float64 arrays; extrapolations sorted by atom, then function.

        Raises:
            StructureError: the atoms cannot be evaluated; names the atom.
            NumericalError: an energy or a force is not finite.
            OptionError: ``virials`` requested from an engine without them.
        """

    @abstractmethod
    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """Symmetry functions of a structure.

        Args:
            structure: the atoms; not modified.
            scaled: whether to return scaled functions, as the networks get them, or raw ones.

        Returns:
            One array per atom: the functions of its element in canonical order.

        Raises:
            StructureError: the atoms cannot be evaluated.
        """

    # ---- derivatives of the functions: capabilities.products -----------------------------------

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Vector-Jacobian product of the raw functions.

        Args:
            structure: the atoms.
            dl_dg: dL/dG of all atoms, concatenated like `descriptors`.
            strain: whether to return dL/d(strain) too.

        Returns:
            dL/dr (n, 3), and dL/d(strain) (3, 3) or None.

        Raises:
            OptionError: ``dl_dg`` has another length, or the engine has no products.
        """
        self._lacks("derivatives of functions")

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Jacobian-vector product: change of the raw functions with a displacement or strain.

        Args:
            structure: the atoms.
            displacement: (n, 3), Å; None: zero.
            strain: (3, 3) ε of positions and cell, r (1 + ε); None: zero.

        Returns:
            dG of all atoms, concatenated like `descriptors`.

        Raises:
            OptionError: a wrong length, or the engine has no products.
        """
        self._lacks("derivatives of functions")

    # ---- arrays where they lie: capabilities.arrays --------------------------------------------

    def takes(self, array: object) -> bool:
        """Whether the ``*_arrays`` methods evaluate this array in place, on a GPU."""
        return False

    def compute_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        forces: bool = True,
        stress: bool = False,
    ) -> ArrayEvaluation:
        """Energy, forces and stress as arrays of the same kind as the positions.

        Args:
            positions: (n, 3), Å, float32 or float64, C order: an array that the engine takes, or
                one on the host, which is evaluated as by `compute`.
            atomic_numbers: (n,), on the device or the host.
            cell: (3, 3), rows are cell vectors, Å, on the device or the host.
            pbc: (3,) or one bool, on the device or the host.
            forces: whether to return forces.
            stress: whether to return the stress; needs three periodic axes.

        Raises:
            OptionError: positions of another type, device or order, or an engine without this
                method.
            StructureError: the atoms cannot be evaluated.
            NumericalError: an energy or a force is not finite.
            UnavailableError: out of memory.
        """
        self._lacks("arrays of a GPU")

    def descriptors_arrays(self, positions: Any, atomic_numbers: Any, cell: Any, pbc: Any) -> Any:
        """Raw functions of all atoms, concatenated; see `compute_arrays`."""
        self._lacks("arrays of a GPU")

    def descriptor_vjp_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        dl_dg: Any,
        strain: bool = False,
    ) -> tuple[Any, Any | None]:
        """`descriptor_vjp` for arrays; see `compute_arrays`."""
        self._lacks("arrays of a GPU")

    def descriptor_jvp_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        displacement: Any | None = None,
        strain: Any | None = None,
    ) -> Any:
        """`descriptor_jvp` for arrays; see `compute_arrays`."""
        self._lacks("arrays of a GPU")

    # ---- keeping it ----------------------------------------------------------------------------

    def prepare(self) -> None:  # noqa: B027  # most engines have nothing to prepare
        """Do the work of the first evaluation now, such as compiling.

        Raises:
            UnavailableError: the engine does not work here.
        """

    def change_over(self, reason: UnavailableError) -> bool:
        """Continue with another engine, if this one can (``auto``); False: it cannot."""
        return False

    @property
    def target(self) -> str:
        """What it runs on: an instruction set, the name of a GPU; empty if unknown."""
        return ""

    @property
    def threads(self) -> int | None:
        """Number of threads; None if it has no control over it."""
        return None

    @property
    def statistics(self) -> Mapping[str, float]:
        """Counters since the engine was created, such as ``list_builds``."""
        return {}

    def _by_atom(
        self,
        flat: NDArray[np.float64],
        elements: NDArray[np.int64],
        ends: NDArray[np.int64],
        scaled: bool,
    ) -> list[NDArray[np.float64]]:
        """What `descriptors` returns, of raw functions one after the other."""
        rows = np.split(flat, ends[:-1])
        if not scaled:
            return rows
        scalings = (self.potential.models[e].scaling for e in elements)
        return [s.factor * row + s.offset for s, row in zip(scalings, rows, strict=True)]

    def _lacks(self, what: str) -> NoReturn:
        raise OptionError(
            f"engine={self.name!r} has no {what}: see nnp.engines.Capabilities for what each has, "
            "and take another engine"
        )
