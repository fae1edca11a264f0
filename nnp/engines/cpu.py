"""The CPU engine: a C++ library with hand-written SIMD kernels, through its C interface."""

from __future__ import annotations

import ctypes as ct
import os
import threading
import weakref
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines import _library as c
from nnp.engines.contract import Capabilities, Engine
from nnp.engines.cost import Cost
from nnp.engines.cpu_arrays import StructureForCalls, address
from nnp.engines.flatten import flatten
from nnp.engines.vectors import vector
from nnp.errors import OptionError
from nnp.evaluation import NO_EXTRAPOLATIONS, Evaluation, Extrapolations, voigt
from nnp.finalize import release_with
from nnp.potential import Potential
from nnp.processor import MOST_THREADS
from nnp.structure import Structure
from nnp.values import require_number, require_whole

PRECISIONS = {"float64": 0, "float32": 1}
TARGETS = {"auto": 0, "baseline": 1, "avx2": 2, "avx512": 3}
WIDE = {"auto": 0, "pairs": 1, "moments": 2}

# All there are, for processes forked from this one.
_ENGINES: weakref.WeakSet[CpuEngine] = weakref.WeakSet()


def _after_fork() -> None:
    for engine in list(_ENGINES):
        engine.renew_if_busy()


os.register_at_fork(after_in_child=_after_fork)


class CpuEngine(Engine):
    """Evaluates a potential with the C++ library.

    Results do not depend on the number of threads, bit for bit. Between calls with the same atoms
    the neighbour list is kept until an atom may have crossed the skin. Calls from several Python
    threads wait for one another, for the list and the results' memory are one. A process forked
    from this one goes on with the engine, and with threads of its own.

    Args:
        potential: what to evaluate.
        dtype: ``"float64"``, or ``"float32"`` (arithmetic in float32, sums in float64).
        threads: how many; None: as many as the process may use.
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6 at first, then 0.2 to 1.5
            as the atoms' motion makes it cheapest. Results do not depend on it, bit for bit.
        target: instruction set, ``"auto"``, ``"baseline"``, ``"avx2"`` or ``"avx512"``.
        wide: how Behler's wide angular functions are summed, over ``"pairs"`` of neighbours or from
            their ``"moments"``, which give the same to rounding; ``"auto"``: the cheaper way.

    Raises:
        OptionError: an option that is not allowed.
        UnavailableError: the library is missing.
    """

    name = "cpu"
    capabilities = Capabilities(products=True, virials=True, terms=True)

    def __init__(
        self,
        potential: Potential,
        dtype: str = "float64",
        threads: int | None = None,
        skin: float | None = None,
        target: str = "auto",
        wide: str = "auto",
    ) -> None:
        self.potential = potential
        self.dtype = dtype
        self._library = c.load_library()
        options = _options(dtype, threads, skin, target, wide)
        self._options = options
        self._open()
        _ENGINES.add(self)

    def _open(self) -> None:
        self._handle = _create(self._library, self.potential, self._options)
        self._finalizer = release_with(self, self._library.nnp_engine_destroy, self._handle)
        self._one_at_a_time = threading.RLock()
        # of every call, in here rather than allocated again; whoever uses them holds the lock
        self._given = StructureForCalls(self.potential)
        self._energy, self._virial = ct.c_double(), np.empty((3, 3))
        self._results = c.Results(energy=ct.addressof(self._energy))
        self._found, self._failure = c.ExtrapolationArrays(), c.Failure()
        self._to_results, self._to_found, self._to_failure = (
            ct.byref(self._results),
            ct.byref(self._found),
            ct.byref(self._failure),
        )

    def renew_if_busy(self) -> None:
        """In a forked process: begin afresh where a thread that is not here was evaluating."""
        if self._one_at_a_time.acquire(blocking=False):
            self._one_at_a_time.release()
        else:
            self._finalizer.detach()  # half-done work: neither used nor freed
            self._open()

    @property
    def target(self) -> str:
        """Instruction set in use."""
        return str(self._library.nnp_engine_target(self._handle).decode())

    @property
    def threads(self) -> int:
        """Number of threads in use."""
        return int(self._library.nnp_engine_threads(self._handle))

    @property
    def statistics(self) -> dict[str, float]:
        """Counters since creation (evaluations, list builds, seconds per part), memory in bytes."""
        numbers = c.Statistics()
        self._library.nnp_engine_statistics(self._handle, ct.byref(numbers))
        counters = {name: getattr(numbers, name) for name in c.COUNTERS}
        return counters | {f"ticks_{p}": t for p, t in zip(c.PHASES, numbers.ticks, strict=True)}

    def cost(self, structure: Structure | None = None) -> list[Cost]:
        """What an atom of each element costs on one core of the machine the model was fitted on.

        Args:
            structure: whose neighbourhoods are counted; elements that it lacks are left out. None:
                those to expect from the functions' ranges in training.
        """
        found = []
        for element, model in enumerate(self.potential.models):
            count = 0
            if structure is not None:
                count = int((self.potential.element_indices(structure) == element).sum())
                if count == 0:
                    continue
            arrays, failure = c.CostArrays(), c.Failure()
            with self._one_at_a_time:
                given = None if structure is None else self._given.read(structure)
                self._library.nnp_engine_cost(
                    self._handle, element, given, ct.byref(arrays), ct.byref(failure)
                )
            failure.raise_any()
            counts, times = (
                dict(zip(c.COST_ITEMS, values, strict=True))
                for values in (arrays.counts, arrays.microseconds)
            )
            wide = arrays.n_wide, arrays.n_by_moments
            found.append(Cost(model.symbol, count, arrays.neighbors, counts, times, *wide))
        return found

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
        n = len(structure)
        energies = np.empty(n)
        force_nc = np.empty((n, 3)) if forces else None
        virial_ncc = np.empty((n, 3, 3)) if virials else None
        with self._one_at_a_time:  # until what it left in the engine is read
            results = self._results
            results.energies = address(energies)
            results.forces = address(force_nc)
            results.virial = address(self._virial) if stress else None
            results.virials = address(virial_ncc)
            self._call(self._library.nnp_engine_compute, structure, self._to_results)
            return Evaluation(
                energy=self._energy.value,
                energies=energies,
                forces=force_nc,
                stress=voigt(self._virial / volume) if stress else None,
                extrapolations=self._extrapolations(),
                virials=virial_ncc,
            )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `Engine.descriptors`."""
        elements, ends = self._layout(structure)
        flat = np.empty(ends[-1])
        results = c.Results(descriptors=address(flat))
        self._call(self._library.nnp_engine_compute, structure, ct.byref(results))
        return self._by_atom(flat, elements, ends, scaled)

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """See `Engine.descriptor_vjp`."""
        _, ends = self._layout(structure)
        dl_dg = vector("dl_dg", dl_dg, int(ends[-1]))
        gradient, virial = np.empty((len(structure), 3)), np.empty((3, 3))
        self._call(
            self._library.nnp_engine_descriptor_vjp,
            structure,
            address(dl_dg),
            address(gradient),
            address(virial) if strain else None,
        )
        return gradient, virial if strain else None

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """See `Engine.descriptor_jvp`."""
        _, ends = self._layout(structure)
        change = np.empty(ends[-1])
        if displacement is not None:
            displacement = vector("displacement", displacement, 3 * len(structure))
        if strain is not None:
            strain = vector("strain", strain, 9)
        self._call(
            self._library.nnp_engine_descriptor_jvp,
            structure,
            address(displacement),
            address(strain),
            address(change),
        )
        return change

    def _layout(self, structure: Structure) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Element index of each atom, and where its descriptors end in the flat array."""
        with self._one_at_a_time:
            self._given.read(structure)
            return self._given.elements, self._given.ends

    def _call(self, function: Any, structure: Structure, *arguments: Any) -> None:
        with self._one_at_a_time:
            given = self._given.read(structure)
            if function(self._handle, given, *arguments, self._to_failure):
                self._failure.raise_any()

    @cached_property
    def _spans(self) -> list[NDArray[np.float64]]:
        """Width of each function's range in training, by element."""
        scalings = [model.scaling for model in self.potential.models]
        return [scaling.maximum - scaling.minimum for scaling in scalings]

    def _extrapolations(self) -> Extrapolations:
        found = self._found
        self._library.nnp_engine_extrapolations(self._handle, self._to_found)
        count = found.count
        if count == 0:
            return NO_EXTRAPOLATIONS
        atoms, functions, excess = (
            np.empty(count, np.int64),
            np.empty(count, np.int64),
            np.empty(count),
        )
        for to, start in (atoms, found.atoms), (functions, found.functions), (excess, found.excess):
            ct.memmove(address(to), start, to.nbytes)
        elements = self._given.elements[atoms]
        width = np.empty(count)
        for index, spans in enumerate(self._spans):
            mine = elements == index
            width[mine] = spans[functions[mine]]
        with np.errstate(divide="ignore"):  # a function that was constant: infinitely far
            return Extrapolations(atoms, functions, excess, excess / width)


def _options(
    dtype: str, threads: int | None, skin: float | None, target: str, wide: str
) -> c.Options:
    choices = {"dtype": (dtype, PRECISIONS), "target": (target, TARGETS), "wide": (wide, WIDE)}
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise OptionError(f"{name}={value!r} is unknown: allowed are {', '.join(allowed)}")
    if threads is not None:
        require_whole("threads", threads, 1, ", or None for all the process may use")
        if threads > MOST_THREADS:  # beyond 32 bits it would come as another number
            raise OptionError(f"threads={threads!r}: a whole number up to {MOST_THREADS}")
    if skin is not None:
        require_number("skin", skin, 0, " (Å), or None for the engine's choice")
    return c.Options(
        PRECISIONS[dtype],
        threads or 0,
        -1.0 if skin is None else skin,
        TARGETS[target],
        WIDE[wide],
    )


def _create(library: ct.CDLL, potential: Potential, options: c.Options) -> ct.c_void_p:
    model, engine, failure = c.Model(flatten(potential)), ct.c_void_p(), c.Failure()
    library.nnp_engine_create(model.handle, ct.byref(options), ct.byref(engine), ct.byref(failure))
    failure.raise_any()
    return engine  # keeps what it needs of the model
