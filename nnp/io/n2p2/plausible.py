"""Whether a potential's numbers speak for another unit of length than the files were taken in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import NNPError
from nnp.functions import CompactRadial, Radial
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.units import BOHR

# Cutoffs of potentials lie between these (Å): where one in the assumed unit does not, but would in
# the other, the unit is probably wrong.
_USUAL_CUTOFF = (3.4, 10.6)
# Atoms per Å³: diamond has 0.18, and of what people fit only matter at hundreds of GPa more.
_DENSEST = 0.25
_RADII = 64  # of the integral over a sphere


def unit_warning(potential: Potential, model: bool = False) -> str | None:
    """A message when cutoff or density look as if the files were in the other unit of length.

    Args:
        potential: what to look at.
        model: whether it is of a one-file model, which was made of such files.
    """
    try:
        other = _by_cutoff(potential) or _by_density(potential)
    except NNPError:  # no engine: nothing to say
        return None
    if other is None:
        return None
    unit, name, evidence = other
    if model:
        return (
            f"it was made of files taken to be in {potential.units}, but {evidence}, looks like "
            f"{unit}: if so, convert the directory again with --units {name}; as it is, the cutoff "
            f"is {potential.cutoff:.4g} Å"
        )
    return (
        f"the files are taken to be in {potential.units}, but {evidence}, looks like {unit}: "
        "if so, give units="
        f"{name!r} (--units {name}); as it is, the cutoff is {potential.cutoff:.4g} Å"
    )


def _by_cutoff(potential: Potential) -> tuple[str, str, str] | None:
    low, high = _USUAL_CUTOFF
    in_file = potential.cutoff / potential.units.length_in_angstrom
    usual = low <= potential.cutoff <= high
    evidence = f"the largest cutoff, {in_file:.4g}"
    if potential.units.length == "bohr" and not usual and low <= in_file <= high:
        return "angstrom", "angstrom,eV", evidence
    if potential.units.length == "angstrom" and not usual and low <= in_file * BOHR <= high:
        return "bohr", "atomic", evidence
    return None


def _by_density(potential: Potential) -> tuple[str, str, str] | None:
    low, high = _USUAL_CUTOFF
    if potential.units.length != "bohr" or not low <= potential.cutoff <= high:
        return None  # others are toys
    density = training_density(potential)
    if density is None or not density > _DENSEST:
        return None
    evidence = (
        f"the training data's density, {density:.2g} atoms per Å³ by the mean of the radial "
        "functions"
    )
    return "angstrom", "angstrom,eV", evidence


def training_density(potential: Potential) -> float | None:
    """Atoms per Å³ around an atom of the training data; of the element with the lowest.

    The mean of a radial function is the density times its integral over the sphere, as far as the
    neighbours are spread evenly: so it is for the function that reaches furthest.

    Args:
        potential: whose ``scaling`` has the means.

    Returns:
        The density, or None where no element has radial functions of all its neighbours.
    """
    found = [_density_around(potential, index) for index in range(len(potential.models))]
    known = [density for density in found if density is not None]
    return min(known, default=None)


def _density_around(potential: Potential, index: int) -> float | None:
    model = potential.models[index]
    total = 0.0
    for symbol in potential.elements:
        chosen = [
            number
            for number, function in enumerate(model.functions)
            if isinstance(function, Radial | CompactRadial) and function.neighbor == symbol
        ]
        if not chosen:
            return None
        volumes = _volumes(potential, model.symbol, symbol)[chosen]
        furthest = int(np.argmax(volumes))
        if not volumes[furthest] > 0:
            return None
        total += float(model.scaling.mean[chosen][furthest] / volumes[furthest])
    return total


def _volumes(potential: Potential, central: str, neighbor: str) -> NDArray[np.float64]:
    """∫ 4π r² G(r) dr of every function of an element, Å³: G of pairs, far from one another."""
    step = potential.cutoff / _RADII
    radii = (np.arange(_RADII) + 0.5) * step
    positions = np.zeros((_RADII, 2, 3))
    positions[:, :, 1] = 3 * potential.cutoff * np.arange(_RADII)[:, None]
    positions[:, 1, 0] = radii
    numbers = np.tile([atomic_number(central), atomic_number(neighbor)], _RADII)
    pairs = Structure(positions.reshape(-1, 3), numbers, np.eye(3), np.zeros(3, bool))
    values = np.array(potential.descriptors(pairs, engine="cpu")[::2])
    volumes: NDArray[np.float64] = 4 * np.pi * step * (radii**2 @ values)
    return volumes
