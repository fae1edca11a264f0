"""Energies, forces and stresses of a structure: which are labels, which predictions, which unused.

Labels are where ASE keeps results, in ``atoms.calc``, unless a key is named. Where the file says
that a potential predicted those results (``predicted_by``, or ``ref_energy`` … beside them, as
``nnp predict`` writes), the labels are what is called ``ref_…`` and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError, StructureError

# How ``nnp predict`` marks results that a potential has made, and labels beside them.
PREDICTED_BY = "predicted_by"
REFERENCE = "ref_"

# Stress and −virial / volume that differ by more than this share of the larger contradict.
_CONTRADICTION = 0.02
# … and by more than this, eV/Å³: rounding of small numbers.
_LEAST_CONTRADICTION = 1e-5

_SAYS = re.compile(
    r"energ|force|stress|virial|veloc|^velo?s?$|moment|charge|dipole|magmom|^fix(ed)?$|fro?ee?zen?|"
    r"constrain|^[vf]_?[xyz]$|^grad|toten|total_?e|^(u|pe|cell|box|unit_?cell)$|"
    r"^e_?(tot|total|dft|0)?$|^f$",
    re.IGNORECASE,
)
# Names that are used elsewhere: ASE's own columns, deviations of a committee, LAMMPS's names.
_USED = re.compile(r"^(momenta|initial_.*|mmcharges|predicted_by|.*_deviation|ref_.*)$")


@dataclass(frozen=True)
class LabelKeys:
    """Where the labels are, when not in the calculator that ASE attaches to what it reads.

    A key that is named must be in at least one structure, and goes before everything else.

    Attributes:
        energy: key of ``atoms.info``, eV.
        forces: key of ``atoms.arrays``, eV/Å.
        stress: key of ``atoms.info``, eV/Å³, (6,) in ASE's order or (3, 3).
        virial: key of ``atoms.info``, eV, (6,) or (3, 3); stress = −virial / volume.
        group: key of ``atoms.info``: name of the group.
        weight: key of ``atoms.info``: weight of the structure.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None
    virial: str | None = None
    group: str = "group"
    weight: str = "weight"


@dataclass(eq=False)
class Labels:
    """Labels of one structure.

    Attributes:
        energy: eV; None when there is none.
        forces: (n, 3) eV/Å; None when there are none.
        stress: (6,) (1/V) dE/dε in ASE's order xx, yy, zz, yz, xz, xy, eV/Å³; None without.
        names: under which name of the file each of them stood.
        remarks: what had to be left out and why.
    """

    energy: float | None = None
    forces: NDArray[np.float64] | None = None
    stress: NDArray[np.float64] | None = None
    names: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def results(self) -> dict[str, Any]:
        """Those that are known, by ASE's names."""
        found = {"energy": self.energy, "forces": self.forces, "stress": self.stress}
        return {name: value for name, value in found.items() if value is not None}


def is_predicted(atoms: Any) -> bool:
    """Whether what stands in the calculator was predicted, not calculated as a reference."""
    marks = (PREDICTED_BY, *(f"{REFERENCE}{name}" for name in ("energy", "forces", "stress")))
    return any(mark in atoms.info or mark in atoms.arrays for mark in marks)


def labels_of(atoms: Any, keys: LabelKeys | None = None) -> Labels:
    """The labels of an ``ase.Atoms``.

    Args:
        atoms: as read, nothing is computed.
        keys: where the labels are.

    Raises:
        StructureError: a label of the wrong shape or not finite; named stress and virial that
            contradict each other.
    """
    keys = keys or LabelKeys()
    found = Labels()
    energy = _array(_take(atoms, "energy", keys.energy, found), "energy", ())
    found.energy = None if energy is None else float(energy)
    forces = _take(atoms, "forces", keys.forces, found)
    found.forces = _array(forces, "forces", (len(atoms), 3))
    found.stress = _stress(atoms, keys, found)
    return found


def _take(atoms: Any, name: str, key: str | None, found: Labels) -> Any:
    """A named key, else the reference beside a prediction, else ASE's result or ``force``."""
    candidates = [key] if key else [name, *(["force"] if name == "forces" else [])]
    if not key and is_predicted(atoms):
        candidates = [f"{REFERENCE}{name}"]
    for candidate in candidates:
        value = held(atoms).get(candidate)
        if value is not None:
            found.names[name] = candidate
            return value
    return None


def held(atoms: Any) -> dict[str, Any]:
    """Everything that a structure holds under a name, results before columns and keys."""
    results: dict[str, Any] = {} if atoms.calc is None else atoms.calc.results
    return {**atoms.arrays, **atoms.info, **{k: v for k, v in results.items() if v is not None}}


def _stress(atoms: Any, keys: LabelKeys, found: Labels) -> NDArray[np.float64] | None:
    named_virial_only = keys.virial is not None and keys.stress is None
    stress = None if named_virial_only else _take(atoms, "stress", keys.stress, found)
    stress = _tensor(stress, "stress")
    virial_key = keys.virial or ("virial" if stress is not None and not keys.stress else None)
    virial = _tensor(held(atoms).get(virial_key) if virial_key else None, "virial")
    if virial is None or (found.names.get("stress") == f"{REFERENCE}stress"):
        return stress
    if not all(atoms.pbc):
        return _without_volume(stress, virial, keys, found)
    of_virial = -virial / float(abs(np.linalg.det(atoms.cell)))
    if stress is None:
        found.names["stress"] = str(virial_key)
        return of_virial
    found.names["virial"] = str(virial_key)  # looked at, whatever comes of it
    if not _contradict(stress, of_virial):
        return stress
    text = (
        f"stress ({stress[0]:.6g} eV/Å³ in xx) and −virial/volume ({of_virial[0]:.6g}) contradict "
        "each other"
    )
    if keys.stress and keys.virial:
        raise StructureError(f"its {text}: name one of them")
    found.remarks.append(
        f"{text}: neither is used; name the right one (--stress-key, --virial-key)"
    )
    return None


def _without_volume(
    stress: NDArray[np.float64] | None,
    virial: NDArray[np.float64],
    keys: LabelKeys,
    found: Labels,
) -> NDArray[np.float64] | None:
    if keys.virial and virial.any():
        found.remarks.append("its virial is left out: without pbc along all axes it has no volume")
    return stress


def _contradict(stress: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    difference = float(np.abs(stress - other).max())
    largest = float(max(np.abs(stress).max(), np.abs(other).max()))
    return difference > _LEAST_CONTRADICTION + _CONTRADICTION * largest


def drop_zero_energies(frames: Sequence[Any], labels: Sequence[Labels]) -> None:
    """Leave out energies of exactly 0.0 in all or several structures of a file, beside forces.

    Programs that know no energy write 0.0. One among others may be true: two Lennard-Jones atoms at
    σ.
    """
    felt = [own for atoms, own in zip(frames, labels, strict=True) if _feels(atoms, own)]
    zeros = [own for own in felt if own.energy == 0]
    if not zeros:
        return
    if len(zeros) == 1 < len(felt):
        zeros[0].remarks.append(
            f"its energy is exactly 0.0 beside forces that are not, as in no other of {len(felt)} "
            "structures: taken as a label"
        )
        return
    for atoms, own in zip(frames, labels, strict=True):
        if own.energy == 0 and (own in zeros or len(zeros) == len(felt)):
            own.energy = None
            name = own.names["energy"]  # stays there, for it was looked at
            if atoms.calc is not None and atoms.calc.results.get(name) == 0:
                del atoms.calc.results[name]
            own.remarks.append(f"{name} is 0.0 beside forces that are not: no label, left out")


def _feels(atoms: Any, own: Labels) -> bool:
    """Whether atoms with an energy feel forces."""
    return bool(
        len(atoms) > 1 and own.energy is not None and own.forces is not None and own.forces.any()
    )


def unused_names(atoms: Any, found: Labels, velocities_taken: str | None = None) -> Iterator[str]:
    """Names of what a structure has and we do not use, though its name says what it is."""
    used = {*found.names.values(), velocities_taken}
    if "energy" in found.names:
        used.add("free_energy")  # ASE's, of wide smearing, beside the one for zero width
    predicted = is_predicted(atoms)
    results = {} if atoms.calc is None else atoms.calc.results
    for name in held(atoms):
        text = str(name)
        own = predicted and name in results
        if _SAYS.search(text) and text not in used and not (_USED.match(text) or own):
            yield text


def require_keys(keys: LabelKeys | None, there: set[str], source: str) -> None:
    """Refuse a named key that no structure has.

    Raises:
        OptionError: there is none; lists those that there are.
    """
    default = LabelKeys()
    for name in LabelKeys.__dataclass_fields__:
        key = getattr(keys or default, name)
        if key != getattr(default, name) and key not in there:
            raise OptionError(
                f"no structure of {source} has {key!r}, named as the key of {name}; there are: "
                f"{', '.join(sorted(there)) or 'none'}"
            )


def _array(value: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    if value is None:
        return None
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        raise StructureError(f"its {name} {value!r} is not a number") from None
    if array.shape != shape:
        raise StructureError(f"its {name} has shape {array.shape}: {shape} is expected")
    if not np.isfinite(array).all():
        raise StructureError(f"its {name} is not finite: remove the structure or the label")
    return array


def _tensor(value: Any, name: str) -> NDArray[np.float64] | None:
    """(6,) in ASE's order from (6,), (3, 3) or 9 numbers."""
    if value is not None and np.size(value) == 9:
        full = np.reshape(np.asarray(value, np.float64), (3, 3))
        value = ((full + full.T) / 2)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return _array(value, name, (6,))
