"""An evaluation on fixed memory, which a CUDA graph can record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from nnp.engines.gpu.arrays import ArrayAtoms, Outputs
from nnp.engines.gpu.host import Host
from nnp.errors import OptionError


class Step:
    """Evaluates the same atoms again, wherever they are now: made by ``GpuEngine.capture``.

    Calling it starts the kernels on the caller's stream and returns; nothing is allocated, read
    or waited for, so that a CUDA graph can record the call. Positions (and cell, if an array of
    the GPU) are read where they lay when the step was made: write new ones there. Results where
    an atom has left the list's skin, or anything else went wrong, are NaN.

    Attributes:
        energy, energies, forces, stress: results, see `ArrayEvaluation`; always the same arrays.
    """

    def __init__(
        self,
        host: Host,
        atoms: ArrayAtoms,
        outputs: Outputs,
        wanted: int,
        queue: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._host, self._atoms, self._queue = host, atoms, queue
        self._outputs, self._request = outputs, outputs.request(wanted)
        self.energy, self.energies = outputs.arrays["energy"], outputs.arrays["energies"]
        self.forces, self.stress = outputs.arrays["forces"], outputs.arrays["stress"]
        self._generation = -1
        self._memory: list[Any] = []  # kept alive for graphs that are replayed unasked
        self.renew()

    def __call__(self) -> None:
        """Start one evaluation.

        Raises:
            OptionError: the engine has evaluated other atoms since.
        """
        if not self._stands():
            raise OptionError(
                "the engine has evaluated other atoms since this step was made: call its renew(), "
                "or make an engine of its own for it"
            )
        with self._queue():
            self._host.launch(self._atoms.given, self._request)

    def holds(self) -> bool:
        """Wait for the last evaluation and say whether it stands; if not, call `renew`.

        It does not where an atom has left the list's skin, or where the engine has evaluated
        other atoms in between.

        Raises:
            StructureError: a position is not finite, or two atoms are in the same place.
            NumericalError: an energy or a force is not finite.
        """
        with self._queue():
            return self._stands() and self._host.settle(self._atoms.given)

    def renew(self) -> bool:
        """Evaluate, with a new list and more memory where needed; waits for the GPU.

        Returns:
            Whether recorded graphs of this step still stand; if not, record them again.

        Raises:
            StructureError, NumericalError, UnavailableError: as ``GpuEngine.compute``.
        """
        with self._queue():
            self._host.evaluate(self._atoms.given, self._request)
        stands = self._stands()
        self._generation = self._host.statistics().generation
        self._memory = self._host.device.memory()
        return stands

    def _stands(self) -> bool:
        """Whether the engine works on the memory, and for the atoms, of the last `renew`."""
        return bool(self._generation == self._host.statistics().generation)
