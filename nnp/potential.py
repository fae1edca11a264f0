"""A Behler-Parrinello potential: one set of functions, one scaling and one network per element.

E = Σ_i E_i,  E_i = energy_scale · network(factor · G_i + offset) + energy_offset

Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nnp import registry
from nnp.baseline import Baseline
from nnp.elements import atomic_number, chemical_symbol
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.evaluation import Evaluation, Evaluator
from nnp.functions import SymmetryFunction, canonical_order
from nnp.networks import Network
from nnp.scaling import Scaling
from nnp.structure import Structure, as_structure
from nnp.terms import RepulsionTerm
from nnp.units import METAL, UnitSystem

# In a provenance: elements whose energies the compositions of the training data did not tell.
UNDETERMINED = "undetermined_energies"


@dataclass(frozen=True, eq=False)
class ElementModel:
    """Functions, scaling and network that give an atom of one element its energy.

    Attributes:
        symbol: the element.
        functions: symmetry functions, in canonical order.
        scaling: of the functions.
        network: takes the scaled functions.
        energy_offset: added to each atom's energy, eV.

    Raises:
        OptionError: functions out of order, or sizes that do not agree.
    """

    symbol: str
    functions: tuple[SymmetryFunction, ...]
    scaling: Scaling
    network: Network
    energy_offset: float = 0.0

    def __repr__(self) -> str:
        return f"<ElementModel {self}>"

    def __str__(self) -> str:
        """Element and layers, such as ``Si 16-10-10-1``."""
        return f"{self.symbol} {'-'.join(map(str, self.network.sizes))}"

    def __post_init__(self) -> None:
        atomic_number(self.symbol)
        if not math.isfinite(self.energy_offset):
            raise OptionError(f"energy_offset of {self.symbol} is {self.energy_offset}: not finite")
        object.__setattr__(self, "energy_offset", float(self.energy_offset))
        object.__setattr__(self, "functions", tuple(self.functions))
        if list(self.functions) != canonical_order(self.functions):
            raise OptionError(
                f"the functions of {self.symbol} are not in canonical order: pass them through "
                "nnp.functions.canonical_order, and scaling and weights with them"
            )
        n_functions, n_inputs = len(self.functions), self.network.sizes[0]
        if not n_functions == len(self.scaling) == n_inputs:
            raise OptionError(
                f"{self.symbol} has {n_functions} functions, scaling of {len(self.scaling)} and a "
                f"network of {n_inputs} inputs: the three must be the same"
            )


@dataclass(frozen=True, eq=False)
class Potential:
    """A complete potential: `nnp.load` reads one, `save` writes one.

    Attributes:
        models: one `ElementModel` per element, by atomic number.
        energy_scale: eV per unit of the networks' output.
        units: of the files it came from, and by default of those written; inside Å and eV.
        provenance: where it came from; JSON-serialisable.
        baseline: calculators that the networks were fitted on top of; engines add them.
        terms: energies added to those of the networks, such as a repulsion.

    Raises:
        OptionError: no element, an element twice, or functions of other elements.
    """

    models: tuple[ElementModel, ...]
    energy_scale: float = 1.0
    units: UnitSystem = METAL
    provenance: dict[str, Any] = field(default_factory=dict)
    baseline: tuple[Baseline, ...] = ()
    terms: tuple[RepulsionTerm, ...] = ()
    _engines: dict[tuple[Any, ...], Evaluator] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        models = tuple(sorted(self.models, key=lambda model: atomic_number(model.symbol)))
        object.__setattr__(self, "models", models)
        object.__setattr__(self, "energy_scale", float(self.energy_scale))
        symbols = [model.symbol for model in models]
        if not (math.isfinite(self.energy_scale) and self.energy_scale > 0):
            raise OptionError(f"energy_scale={self.energy_scale}: it must be positive and finite")
        if not symbols or len(set(symbols)) != len(symbols):
            raise OptionError(f"a potential needs one model per element, got {symbols}")
        object.__setattr__(self, "terms", tuple(self.terms))
        for term in self.terms:
            if strangers := term.elements - set(symbols):
                raise OptionError(
                    f"the {term} names {', '.join(sorted(strangers))}, but the potential has only "
                    f"{', '.join(symbols)}"
                )
        for model in models:
            for function in model.functions:
                unknown = set(function.neighbor_symbols) - set(symbols)
                if unknown:
                    raise OptionError(
                        f"a function of {model.symbol} looks for {sorted(unknown)}, but the "
                        f"potential has only {', '.join(symbols)}"
                    )

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols, in the order of atomic numbers."""
        return tuple(model.symbol for model in self.models)

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        return np.array([atomic_number(symbol) for symbol in self.elements])

    @property
    def knows_ranges(self) -> bool:
        """Whether atoms can be seen to leave the training range: NEP files do not state it."""
        return any(model.scaling.knows_ranges for model in self.models)

    @property
    def cutoff(self) -> float:
        """Largest radius of any function or term, Å."""
        radii = [f.radius for model in self.models for f in model.functions]
        return max([*radii, *(term.cutoff for term in self.terms)], default=0.0)

    @property
    def compiled(self) -> bool:
        """Whether compiled engines support all its families of functions."""
        return all(f.number for model in self.models for f in model.functions)

    def element_indices(self, structure: Structure) -> NDArray[np.int64]:
        """Index of each atom's element in ``models``, (n,).

        Raises:
            StructureError: there are no atoms, or an atom's element has no model.
        """
        if len(structure) == 0:
            raise StructureError("the structure has no atoms")
        numbers = self._numbers
        indices = np.searchsorted(numbers, structure.atomic_numbers)
        found = numbers[np.minimum(indices, len(numbers) - 1)] == structure.atomic_numbers
        if not found.all():
            atom = int(np.argmin(found))
            symbol = chemical_symbol(int(structure.atomic_numbers[atom]))
            raise StructureError(
                f"atom {atom} is {symbol}, but the potential knows only "
                f"{', '.join(self.elements)}: take one that was trained with {symbol}"
            )
        return indices

    def engine(self, name: str = "cpu", **options: Any) -> Evaluator:
        """The engine with this name for this potential, made once and reused.

        Args:
            name: ``"cpu"``, ``"gpu"``, ``"opencl"``, ``"reference"``; or ``"auto"``: ``gpu`` if it
                can run, otherwise ``cpu`` with one warning that says why.
            options: options of the engine, such as ``dtype`` and ``threads``.

        Raises:
            OptionError: no engine has this name, or it does not take an option.
            UnavailableError: the engine cannot run here.
        """
        key = (name, *sorted(options.items()))
        try:
            known = self._engines.get(key)
        except TypeError:  # a list, say: the engine says what it takes instead
            return self.make_engine(name, **options)
        # two threads at once both make one; the first one stays
        return known or self._engines.setdefault(key, self.make_engine(name, **options))

    def make_engine(self, name: str = "cpu", **options: Any) -> Evaluator:
        """A new engine for this potential, for callers that keep it; see `engine`."""
        return registry.make_engine(self, name, **options)

    @overload
    def evaluate(
        self,
        atoms: list[Any],
        engine: str = ...,
        forces: bool = ...,
        stress: bool = ...,
        **options: Any,
    ) -> list[Evaluation]: ...

    @overload
    def evaluate(
        self, atoms: Any, engine: str = ..., forces: bool = ..., stress: bool = ..., **options: Any
    ) -> Evaluation: ...

    def evaluate(
        self,
        atoms: Any,
        engine: str = "cpu",
        forces: bool = True,
        stress: bool = False,
        **options: Any,
    ) -> Evaluation | list[Evaluation]:
        """Energy, forces and stress of a structure, or of several.

        Args:
            atoms: an ``ase.Atoms`` or `Structure`, or a list of them.
            engine: name of the engine, see `engine`.
            forces: whether to compute forces.
            stress: whether to compute the stress; needs three periodic axes.
            options: options of the engine.

        Returns:
            An `Evaluation`, or a list of them if ``atoms`` is a list.

        Raises:
            StructureError: the atoms cannot be evaluated; the message names the atom.
            NumericalError: the energy or a force is not finite.
        """
        warm = self.engine(engine, **options)
        if isinstance(atoms, list | tuple):
            return [_numbered(n, warm, a, forces, stress) for n, a in enumerate(atoms)]
        return warm.compute(as_structure(atoms), forces, stress)

    def descriptors(
        self, atoms: Any, scaled: bool = False, engine: str = "cpu", **options: Any
    ) -> list[NDArray[np.float64]]:
        """Symmetry functions of every atom.

        Args:
            atoms: an ``ase.Atoms`` or `Structure`.
            scaled: whether to return scaled functions, as the networks get them, or raw ones.
            engine: name of the engine, see `engine`.
            options: options of the engine.

        Returns:
            One array per atom: the functions of its element in canonical (n2p2's) order.
        """
        return self.engine(engine, **options).descriptors(as_structure(atoms), scaled)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the one-file model.

        Args:
            path: the file, by convention ending in ``.nnp``.
            force: whether to overwrite an existing file.

        Raises:
            OutputExistsError: the file exists and ``force`` is False.
        """
        registry.write_model(self, path, force)

    def __repr__(self) -> str:
        """Elements, networks and cutoff on a line; ``nnp info`` prints more.

        >>> import nnp
        >>> nnp.load("silicon_sw")
        <Potential Si 16-10-10-1, cutoff 3.77 Å>
        """
        networks = ", ".join(map(str, self.models))
        added = "".join(f", {part}" for part in (*self.terms, *self.baseline))
        return f"<Potential {networks}, cutoff {self.cutoff:.6g} Å{added}>"

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy without the engines, which hold threads and library handles."""
        return {name: value for name, value in vars(self).items() if name != "_engines"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _engines={})


def require_potential(value: Any, name: str = "potential") -> None:
    """Refuse what is not a potential.

    Raises:
        OptionError: it is something else, such as the path of one.
    """
    if not isinstance(value, Potential):
        raise OptionError(
            f"{name} is a {type(value).__name__}: give an nnp.Potential: nnp.load(path) reads one"
        )


def _numbered(number: int, engine: Evaluator, atoms: Any, forces: bool, stress: bool) -> Evaluation:
    """Evaluate one structure of a list; errors say which."""
    try:
        return engine.compute(as_structure(atoms), forces, stress)
    except (StructureError, NumericalError) as error:
        raise type(error)(f"structure {number}: {error}") from error
