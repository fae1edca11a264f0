"""An engine of the networks, and what the potential's terms add to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnp.engines.contract import Capabilities, Engine
from nnp.errors import NumericalError
from nnp.evaluation import Evaluation, voigt
from nnp.potential import Potential
from nnp.structure import Structure


class EngineWithTerms(Engine):
    """The sum; terms are computed on the host, with a neighbour list of their own.

    Args:
        potential: with the terms.
        engine: of its networks.
    """

    def __init__(self, potential: Potential, engine: Engine) -> None:
        self.name, self.dtype, self.potential = engine.name, engine.dtype, potential
        has = engine.capabilities
        self.capabilities = Capabilities(
            products=has.products, virials=has.virials, autograd=has.autograd
        )
        self._engine = engine

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """See `Engine.compute`."""
        found = self._engine.compute(structure, forces, stress, virials=virials)
        energies, force_nc, virial_ncc = found.energies, found.forces, found.virials
        total = np.zeros((3, 3))
        for term in self.potential.terms:
            added = term.compute(structure)
            energies = energies + added.energies
            force_nc = None if force_nc is None else force_nc + added.forces
            virial_ncc = None if virial_ncc is None else virial_ncc + added.virials
            total += added.virials.sum(axis=0)
        if not np.isfinite(energies).all():
            atom = int(np.argmin(np.isfinite(energies)))
            raise NumericalError(
                f"the repulsion of atom {atom} is not finite: another atom is too close"
            )
        return replace(
            found,
            energy=float(energies.sum()),
            energies=energies,
            forces=force_nc,
            stress=None if found.stress is None else found.stress + voigt(total / structure.volume),
            virials=virial_ncc,
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `Engine.descriptors`."""
        return self._engine.descriptors(structure, scaled)

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """See `Engine.descriptor_vjp`."""
        return self._engine.descriptor_vjp(structure, dl_dg, strain)

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """See `Engine.descriptor_jvp`."""
        return self._engine.descriptor_jvp(structure, displacement, strain)

    def prepare(self) -> None:
        """See `Engine.prepare`."""
        self._engine.prepare()

    @property
    def target(self) -> str:
        """See `Engine.target`."""
        return self._engine.target

    @property
    def threads(self) -> int | None:
        """See `Engine.threads`."""
        return self._engine.threads
