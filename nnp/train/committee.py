"""Several potentials for the same data: their mean, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError, OptionError
from nnp.evaluation import Evaluation
from nnp.io import load
from nnp.networks import Network
from nnp.potential import Potential


@dataclass(frozen=True, eq=False)
class CommitteeEvaluation:
    """Mean and deviation over the members, for one structure.

    Attributes:
        energy: mean, eV.
        energy_deviation: standard deviation over the members, eV.
        forces: (n, 3) mean, eV/Å.
        force_deviations: (n,) √⟨|F_m − ⟨F⟩|²⟩ over the members, eV/Å.
        members: what each says.
    """

    energy: float
    energy_deviation: float
    forces: NDArray[np.float64]
    force_deviations: NDArray[np.float64]
    members: tuple[Evaluation, ...]

    @property
    def extrapolation(self) -> float:
        """Largest distance of a function from its training range, relative to its width."""
        worst = (m.extrapolations.worst for m in self.members)
        return max((abs(w.relative) for w in worst if w is not None), default=0.0)


@dataclass(frozen=True, eq=False)
class Committee:
    """Potentials that were trained on the same data.

    Attributes:
        members: two or more.

    Raises:
        OptionError: fewer, or members for different elements.
    """

    members: tuple[Potential, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        elements = {member.elements for member in self.members}
        if len(self.members) < 2 or len(elements) != 1:
            raise OptionError(
                f"a committee of {len(self.members)} potentials for {sorted(elements)}: two or "
                "more for the same elements are wanted"
            )

    @classmethod
    def load(cls, paths: str | Path | Sequence[str | Path], name: str = "best.nnp") -> Committee:
        """Read members.

        Args:
            paths: the output folder of ``nnp train --members``, or a list of potentials.
            name: file in each ``member_*`` folder.

        Raises:
            FileFormatError: the folder holds fewer than two members.
        """
        if not isinstance(paths, str | Path):
            return cls(tuple(load(path) for path in paths))
        found = sorted(Path(paths).glob(f"member_*/{name}"))
        if len(found) < 2:
            raise FileFormatError(
                f"{paths} holds {len(found)} of member_*/{name}: give the output folder of "
                "nnp train --members, or a list of potentials"
            )
        return cls(tuple(load(path) for path in found))

    def evaluate(self, atoms: Any, engine: str = "auto", **options: Any) -> CommitteeEvaluation:
        """Energy and forces of one structure, see `Potential.evaluate`."""
        members = tuple(m.evaluate(atoms, engine, **options) for m in self.members)
        energies = np.array([m.energy for m in members])
        forces = np.array([m.forces for m in members])
        spread = forces - forces.mean(axis=0)
        return CommitteeEvaluation(
            energy=float(energies.mean()),
            energy_deviation=float(energies.std()),
            forces=forces.mean(axis=0),
            force_deviations=np.sqrt((spread**2).sum(axis=2).mean(axis=0)),
            members=members,
        )

    def mean_potential(self) -> Potential:
        """One potential whose energy is the members' mean, for MD with any engine.

        Networks of equal depth side by side are one network whose hidden layers are block
        diagonal; the last layer takes the mean.

        Raises:
            OptionError: members that differ in functions, scaling, depth or activations.
        """
        models = []
        for group in zip(*(member.models for member in self.members), strict=True):
            first = group[0]
            for model in group[1:]:
                same = model.functions == first.functions and all(
                    np.array_equal(getattr(model.scaling, part), getattr(first.scaling, part))
                    for part in ("factor", "offset")
                )
                if not same or model.network.activations != first.network.activations:
                    raise OptionError(
                        f"members differ in functions, scaling or layers of {first.symbol}: only "
                        "equal ones make one potential"
                    )
            network = _side_by_side([model.network for model in group])
            offset = float(np.mean([model.energy_offset for model in group]))
            models.append(replace(first, network=network, energy_offset=offset))
        scales = {member.energy_scale for member in self.members}
        if len(scales) != 1:
            raise OptionError(f"members differ in energy_scale: {sorted(scales)}")
        provenance = {"program": "nnp", "mean_of": [m.provenance for m in self.members]}
        return replace(self.members[0], models=tuple(models), provenance=provenance)


def _side_by_side(networks: Sequence[Network]) -> Network:
    """The mean of networks with the same inputs, as one network."""
    depth = len(networks[0].weights)
    if depth == 1:
        mean_w = np.mean([n.weights[0] for n in networks], axis=0)
        mean_b = np.mean([n.biases[0] for n in networks], axis=0)
        return Network((mean_w,), (mean_b,), networks[0].activations)
    if str(networks[0].activations[-1]) != "l":
        raise OptionError("members whose output layer is not linear have no mean network")
    weights = [np.concatenate([n.weights[0] for n in networks], axis=1)]
    biases = [np.concatenate([n.biases[layer] for n in networks]) for layer in range(depth - 1)]
    weights += [_block_diagonal([n.weights[k] for n in networks]) for k in range(1, depth - 1)]
    weights.append(np.concatenate([n.weights[-1] for n in networks]) / len(networks))
    biases.append(np.mean([n.biases[-1] for n in networks], axis=0))
    return Network(tuple(weights), tuple(biases), networks[0].activations)


def _block_diagonal(blocks: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    rows, columns = (sum(b.shape[axis] for b in blocks) for axis in (0, 1))
    full = np.zeros((rows, columns))
    row = column = 0
    for block in blocks:
        full[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return full
