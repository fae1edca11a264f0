"""The engine of a committee: asks every member, returns means and standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.committee import Committee, CommitteeEvaluation
from nnp.engines.contract import Capabilities, Engine
from nnp.evaluation import Evaluation, Extrapolations
from nnp.mean_network import positions_of
from nnp.potential import Potential
from nnp.structure import Structure


class CommitteeEngine(Engine):
    """See `nnp.engines.Engine`; one engine per member, and that of the mean for its functions."""

    def __init__(self, committee: Committee, members: Sequence[Engine], mean: Engine) -> None:
        self.name, self.dtype, self.potential = mean.name, mean.dtype, committee
        self.capabilities = Capabilities(virials=all(m.capabilities.virials for m in members))
        self._members, self._mean = members, mean
        self._numbers = [_numbers_in_mean(committee, member) for member in committee.members]
        self._committee = committee

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> CommitteeEvaluation:
        """See `Engine.compute`."""
        members = tuple(
            engine.compute(structure, forces, stress, virials=virials) for engine in self._members
        )
        energy, energy_deviation = _moments([m.energy for m in members])
        force, force_deviation = _moments([m.forces for m in members])
        tension, tension_deviation = _moments([m.stress for m in members])
        return CommitteeEvaluation(
            energy=float(energy),
            energies=np.mean([m.energies for m in members], axis=0),
            forces=force,
            stress=tension,
            extrapolations=self._extrapolations(structure, members),
            virials=_moments([m.virials for m in members])[0],
            energy_deviation=float(energy_deviation),
            forces_deviation=force_deviation,
            stress_deviation=tension_deviation,
            members=members,
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """Those of the mean, see `Engine.descriptors`."""
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
