"""Between n2p2's frames and ``ase.Atoms``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.errors import StructureError
from nnp.io.n2p2.data import Frame
from nnp.io.structures.labels import PREDICTED_BY, is_predicted, labels_of
from nnp.structure import as_structure

# How a comment of input.data says that energy and forces are predictions.
_MARK = re.compile(rf"\b{PREDICTED_BY}=(\S+)")


def from_frame(frame: Frame) -> Atoms:
    """An ``ase.Atoms`` with the frame's references as calculator."""
    structure = frame.structure
    atoms = Atoms(
        numbers=structure.atomic_numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
    )
    if frame.charges is not None:
        atoms.arrays["initial_charges"] = frame.charges
    comment = frame.comment
    mark = _MARK.search(comment)
    if mark:
        atoms.info[PREDICTED_BY] = mark.group(1)
        comment = _MARK.sub("", comment).strip()
    for key, value in (("comment", comment), ("charge", frame.charge)):
        if value:
            atoms.info[key] = value
    for key, _, value in (item.partition("=") for item in frame.part.split()):
        atoms.info[key] = value or True
    results = {"energy": frame.energy, "forces": frame.forces}
    known = {name: value for name, value in results.items() if value is not None}
    if known:
        atoms.calc = SinglePointCalculator(atoms, **known)  # type: ignore[no-untyped-call]
    return atoms


def to_frame(atoms: Atoms, predictions: bool = False) -> Frame:
    """The frame of an ``ase.Atoms``; nothing is computed.

    Args:
        atoms: with its labels, and maybe with predictions beside them.
        predictions: whether the predictions are written, which a comment then says, or the labels.
    """
    results: dict[str, Any] = {} if atoms.calc is None else atoms.calc.results
    labels = labels_of(atoms).results()
    comment = str(atoms.info.get("comment", ""))
    predicted = is_predicted(atoms) and (predictions or not labels)
    if predicted:
        by = "_".join(str(atoms.info.get(PREDICTED_BY, "unknown")).split())
        comment = f"{comment} {PREDICTED_BY}={by}".strip()
    chosen = results if predicted else labels
    charges = atoms.arrays.get("initial_charges", np.zeros(1))
    return Frame(
        structure=as_structure(atoms),
        energy=chosen.get("energy"),
        forces=chosen.get("forces"),
        charges=charges if charges.any() else None,
        charge=_charge(atoms),
        comment=comment,
        part=f"set={atoms.info['set']}" if "set" in atoms.info else "",
    )


def _charge(atoms: Atoms) -> float:
    charge = atoms.info.get("charge", 0.0)
    try:
        return float(charge)
    except (TypeError, ValueError):
        raise StructureError(
            f"charge={charge!r} among what the structure says of itself (atoms.info): input.data "
            "takes a number, in e; correct it, or remove it"
        ) from None
