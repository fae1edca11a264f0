"""mmCIF (PDBx): one loop of atoms with places in Å, residues and chains; each model a frame.

The fields: PDBx/mmCIF dictionary of the wwPDB, category ``atom_site``. ASE reads the file's syntax
and turns the names of fields into small letters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from nnp.errors import FileFormatError
from nnp.io.structures.residues import PLACEHOLDER_EDGES, beside_in_residues, element_of_atom
from nnp.io.structures.source import Source

_SITE, _CELL = "_atom_site.", "_cell."
_UNKNOWN = (".", "?", "")
_CELL_FIELDS = [f"length_{axis}" for axis in "abc"] + [
    f"angle_{angle}" for angle in ("alpha", "beta", "gamma")
]
_WHOLE_CELLS = ("", "P 1", "P1", "1", *_UNKNOWN)


def is_mmcif(block: Any) -> bool:
    """Whether a block of a CIF is one of mmCIF."""
    return f"{_SITE}cartn_x" in block


def read_block(block: Any, source: Source) -> list[Atoms]:
    """All models of a block.

    Raises:
        FileFormatError: fields are missing or broken, or an atom's element would be a guess.
    """
    places = [_column(block, f"cartn_{axis}") for axis in "xyz"]
    count = len(places[0])
    names = _column(block, "auth_atom_id", "label_atom_id", count=count)
    residues = _column(block, "auth_comp_id", "label_comp_id", count=count)
    symbols = _symbols(_column(block, "type_symbol", count=count), names, residues, source)
    arrays = {
        "atomtypes": names,
        "residuenames": residues,
        "residuenumbers": _column(block, "auth_seq_id", "label_seq_id", count=count),
        "chainids": _column(block, "auth_asym_id", "label_asym_id", count=count),
    }
    models = np.array(_column(block, "pdbx_pdb_model_num", count=count))
    try:
        positions = np.array(places, np.float64).T
        cell = _cell(block, source)
    except ValueError as error:
        raise FileFormatError(
            f"{source.path}, {block.name}: a number is not one: {error}"
        ) from None
    if any(word not in _UNKNOWN for word in _column(block, "label_alt_id", count=count)):
        source.note(
            "it has alternative locations of atoms (altloc); all of them are taken as atoms"
        )
    frames = []
    for model in dict.fromkeys(models):
        here = models == model
        atoms = Atoms(symbols[here], positions[here], cell=cell, pbc=cell is not None)
        for name, column in arrays.items():
            values = np.array([word if word not in _UNKNOWN else "_" for word in column])[here]
            if set(values) != {"_"}:
                whole = all(word.lstrip("-").isdecimal() for word in values)
                atoms.arrays[name] = values.astype(int) if whole and "numbers" in name else values
        frames.append(atoms)
    return frames


def _column(block: Any, *fields: str, count: int = 0) -> list[str]:
    """The first of the fields that is there, as words; unknown ones where none is."""
    for field in fields:
        found = block.get(_SITE + field)
        if found is not None:
            words = found if isinstance(found, list) else [found]
            return [str(word) for word in words]
    return ["?"] * count


def _symbols(types: list[str], names: list[str], residues: list[str], source: Source) -> Any:
    beside = beside_in_residues(zip(residues, names, strict=True))
    known: dict[tuple[str, str, str], str] = {}
    for number, (said, name, residue) in enumerate(zip(types, names, residues, strict=True)):
        if (said, name, residue) not in known:
            where = f"{source.path}, atom {number + 1}"
            found = element_of_atom(said, name, residue, source.options.names, beside, where)
            known[said, name, residue] = found
    return np.array([known[key] for key in zip(types, names, residues, strict=True)])


def _cell(block: Any, source: Source) -> list[float] | None:
    """Å and degrees; None if it is missing or a placeholder."""
    words = [str(block.get(_CELL + field, "?")) for field in _CELL_FIELDS]
    if any(word in _UNKNOWN for word in words[:3]):
        return None
    numbers = [float(word) if word not in _UNKNOWN else 90.0 for word in words]
    if all(edge in PLACEHOLDER_EDGES for edge in numbers[:3]):
        source.note("its cell of 1 Å or 0 is a placeholder for no crystal: no cell")
        return None
    group = str(block.get("_symmetry.space_group_name_h-m", ""))
    if group not in _WHOLE_CELLS:
        source.note(
            f"its space group is {group}: mmCIF holds the asymmetric unit only, and these atoms "
            "alone are taken for the whole cell"
        )
    return numbers
