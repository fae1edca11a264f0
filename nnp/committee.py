"""Several potentials for the same elements as one: their mean, and how far they disagree.

    committee = nnp.Committee.of([nnp.load(path) for path in paths])
    found = committee.evaluate(atoms)
    found.energy, found.energy_deviation, found.forces_deviation

A committee is a `Potential`: whatever takes one takes the members' mean, as a network whose hidden
layers hold those of all members side by side. `Committee.evaluate` and the ASE calculator ask the
members one by one and give deviations too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline
from nnp.errors import OptionError
from nnp.evaluation import Evaluation, Extrapolations
from nnp.mean_network import mean_model, positions_of
from nnp.potential import Potential, require_potential
from nnp.structure import Structure

if TYPE_CHECKING:
    from nnp.engines import Engine


@dataclass(frozen=True, eq=False)
class CommitteeEvaluation(Evaluation):
    """Means over the members, and their standard deviations.

    Attributes:
        energy_deviation: eV.
        forces_deviation: (n, 3) of each component, eV/Å; None when not asked for.
        stress_deviation: (6,) eV/Å³; None when not asked for.
        extrapolations: of all members; of several for one function the furthest.
        members: what each says.
    """

    energy_deviation: float
    forces_deviation: NDArray[np.float64] | None
    stress_deviation: NDArray[np.float64] | None
    members: tuple[Evaluation, ...]


@dataclass(frozen=True, eq=False)
class Committee(Potential):
    """The mean of several potentials, which remembers them; made by `Committee.of`.

    Attributes:
        members: two or more.
    """

    members: tuple[Potential, ...] = ()

    @classmethod
    def of(
        cls, members: Sequence[Potential], provenance: dict[str, Any] | None = None
    ) -> Committee:
        """The committee of some potentials.

        Args:
            members: may differ in functions, scaling and sizes of hidden layers.
            provenance: of the committee; the members keep theirs.

        Raises:
            OptionError: fewer than two, other elements, or networks of another depth or with other
                activations, which have no mean in one network.
        """
        members = tuple(members)
        for number, member in enumerate(members):
            require_potential(member, f"member {number}")
        baseline = _common_baseline(members)
        members = tuple(replace(member, baseline=()) for member in members) if baseline else members
        elements = {member.elements for member in members}
        if len(members) < 2 or len(elements) != 1:
            raise OptionError(
                f"a committee of {len(members)} potentials for {sorted(elements)}: two or more for "
                "the same elements are wanted"
            )
        groups = zip(*(member.models for member in members), strict=True)
        scales = [member.energy_scale for member in members]
        models = tuple(mean_model(group, scales) for group in groups)
        about = {} if provenance is None else provenance
        return cls(models, scales[0], members[0].units, about, baseline, members=members)

    def mean(self) -> Potential:
        """The mean as a plain potential, without the members."""
        about = {"mean_of": [member.provenance for member in self.members]}
        return Potential(
            self.models, self.energy_scale, self.units, self.provenance | about, self.baseline
        )

    def make_engine(self, name: str = "cpu", **options: Any) -> Engine:
        """A new engine that asks every member and returns a `CommitteeEvaluation`."""
        if self.baseline:
            from nnp.engines.with_baseline import EngineWithBaseline

            fitted = replace(self, baseline=()).make_engine(name, **options)
            return EngineWithBaseline(fitted, self.baseline)
        engines = [member.make_engine(name, **options) for member in self.members]
        return _CommitteeEngine(self, engines, super().make_engine(name, **options))


class _CommitteeEngine:
    """See `nnp.engines.Engine`; one engine per member, and that of the mean for its functions."""

    def __init__(self, committee: Committee, members: Sequence[Engine], mean: Engine) -> None:
        self.name = mean.name
        self._members, self._mean = members, mean
        self._numbers = [_numbers_in_mean(committee, member) for member in committee.members]
        self._committee = committee

    def compute(
        self, structure: Structure, forces: bool = True, stress: bool = False
    ) -> CommitteeEvaluation:
        members = tuple(engine.compute(structure, forces, stress) for engine in self._members)
        energy, energy_deviation = _moments([m.energy for m in members])
        force, force_deviation = _moments([m.forces for m in members])
        tension, tension_deviation = _moments([m.stress for m in members])
        return CommitteeEvaluation(
            energy=float(energy),
            energies=np.mean([m.energies for m in members], axis=0),
            forces=force,
            stress=tension,
            extrapolations=self._extrapolations(structure, members),
            energy_deviation=float(energy_deviation),
            forces_deviation=force_deviation,
            stress_deviation=tension_deviation,
            members=members,
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        return self._mean.descriptors(structure, scaled)

    def _extrapolations(
        self, structure: Structure, members: Sequence[Evaluation]
    ) -> Extrapolations:
        elements = self._committee.element_indices(structure)
        found = [m.extrapolations for m in members]
        atoms = np.concatenate([f.atoms for f in found])
        functions = np.concatenate(
            [
                np.array(
                    [
                        numbers[elements[atom]][k]
                        for atom, k in zip(f.atoms, f.functions, strict=True)
                    ],
                    np.int64,
                )
                for f, numbers in zip(found, self._numbers, strict=True)
            ]
        )
        excess = np.concatenate([f.excess for f in found])
        relative = np.concatenate([f.relative for f in found])
        order = np.lexsort((-np.abs(relative), functions, atoms))
        atoms, functions, excess, relative = (
            a[order] for a in (atoms, functions, excess, relative)
        )
        first = np.ones(len(atoms), bool)
        first[1:] = (np.diff(atoms) != 0) | (np.diff(functions) != 0)
        return Extrapolations(atoms[first], functions[first], excess[first], relative[first])


def _common_baseline(members: Sequence[Potential]) -> tuple[Baseline, ...]:
    """What all members were fitted on top of.

    Raises:
        OptionError: it is not the same for all.
    """
    first = members[0].baseline if members else ()
    for number, member in enumerate(members):
        if member.baseline != first:
            first_name, other = (
                ", ".join(map(str, parts)) or "nothing" for parts in (first, member.baseline)
            )
            raise OptionError(
                f"a committee is fitted on top of one baseline, but member 0 has {first_name} and "
                f"member {number} has {other}"
            )
    return first


def _moments(values: Sequence[Any]) -> tuple[Any, Any]:
    """Mean and standard deviation over the members; None where they have none."""
    if values[0] is None:
        return None, None
    array = np.array(values)
    return array.mean(axis=0), array.std(axis=0)


def _numbers_in_mean(committee: Committee, member: Potential) -> list[NDArray[np.int64]]:
    """Per element, where each of a member's functions stands among the committee's."""
    return [
        positions_of(whole.functions, own.functions)
        for whole, own in zip(committee.models, member.models, strict=True)
    ]
