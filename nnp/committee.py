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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline
from nnp.errors import OptionError
from nnp.evaluation import Evaluation
from nnp.mean_network import mean_model
from nnp.potential import Potential, require_potential
from nnp.terms import RepulsionTerm


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


@dataclass(frozen=True, eq=False, repr=False)
class Committee(Potential):
    """Several potentials and their mean; made by `Committee.of`.

    It evaluates like a `Potential` and gives the mean; `evaluate` also returns the members' spread.

    Attributes:
        members: two or more potentials.
    """

    members: tuple[Potential, ...] = ()

    @classmethod
    def of(
        cls, members: Sequence[Potential], provenance: dict[str, Any] | None = None
    ) -> Committee:
        """Make a committee of potentials.

        Args:
            members: potentials, which may differ in functions, scaling and sizes of hidden layers.
            provenance: of the committee; the members keep theirs.

        Raises:
            OptionError: fewer than two members, different elements, or networks of different depth
                or activations, whose mean is not one network.
        """
        members = tuple(members)
        for number, member in enumerate(members):
            require_potential(member, f"member {number}")
        baseline, terms = _common_baseline(members), _common_terms(members)
        if baseline or terms:
            members = tuple(replace(member, baseline=(), terms=()) for member in members)
        elements = {member.elements for member in members}
        if len(members) < 2 or len(elements) != 1:
            raise OptionError(
                f"a committee of {len(members)} potentials for {sorted(elements)}: two or more for "
                "the same elements are expected"
            )
        groups = zip(*(member.models for member in members), strict=True)
        scales = [member.energy_scale for member in members]
        models = tuple(mean_model(group, scales) for group in groups)
        about = {} if provenance is None else provenance
        return cls(models, scales[0], members[0].units, about, baseline, terms, members=members)

    def __repr__(self) -> str:
        """How many members, and each of them, on a line."""
        return f"<Committee of {len(self.members)}: {', '.join(map(repr, self.members))}>"

    def mean(self) -> Potential:
        """The mean as a plain potential, without the members."""
        about = {"mean_of": [member.provenance for member in self.members]}
        about = self.provenance | about
        return Potential(
            self.models, self.energy_scale, self.units, about, self.baseline, self.terms
        )


def _common_terms(members: Sequence[Potential]) -> tuple[RepulsionTerm, ...]:
    """The terms of all members.

    Raises:
        OptionError: they are not the same.
    """
    first = members[0].terms if members else ()
    for number, member in enumerate(members):
        if member.terms != first:
            own, other = (
                ", ".join(map(str, terms)) or "nothing" for terms in (first, member.terms)
            )
            raise OptionError(
                f"a committee adds the same terms to all networks, but member 0 has {own} and "
                f"member {number} has {other}"
            )
    return first


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
