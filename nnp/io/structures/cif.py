"""CIF: elements of type symbols or labels in any case, then read by ASE.

ASE takes one capital and the small letter after it: SI1 would be sulphur, CL carbon.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

from ase import Atoms
from ase.io.cif import CIFBlock, parse_cif

from nnp.elements import SYMBOLS
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.mmcif import is_mmcif, read_block
from nnp.io.structures.names import ElementNames, element_of_name, element_of_symbol
from nnp.io.structures.source import Source

_TYPES, _LABELS = "_atom_site_type_symbol", "_atom_site_label"
_FORMULAS = ("_chemical_formula_sum", "_chemical_formula_structural")


def read(source: Source) -> list[Atoms]:
    """Read every block that has a structure.

    Raises:
        FileFormatError: broken, or a label that can mean two elements.
    """
    frames: list[Atoms] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of symmetry, which ASE settles
        try:
            for block in parse_cif(io.StringIO(source.text()), "ase"):
                if is_mmcif(block):
                    source.units = "Å (mmCIF)"
                    frames += read_block(block, source)
                    continue
                named = _with_elements(block, source)
                if named.has_structure():
                    atoms = named.get_atoms(fractional_occupancies=True)
                    atoms.info.pop("unit_cell", None)  # ASE's word, not the file's
                    frames.append(atoms)
        except NNPError:
            raise
        except Exception as error:
            raise FileFormatError(
                f"{source.path} cannot be read: {type(error).__name__}: {error}"
            ) from error
    if not frames:
        raise FileFormatError(
            f"{source.path} holds no structure: _cell_length_a … and _atom_site_fract_x … of "
            "numbers are expected, or mmCIF's _atom_site.Cartn_x …"
        )
    return frames


def _with_elements(block: Any, source: Source) -> Any:
    """The block with a symbol of ASE's spelling for each site."""
    types, labels = block.get(_TYPES), block.get(_LABELS)
    words = types if isinstance(types, list) else labels
    if not isinstance(words, list):
        return block
    formula = _elements_of_formula(block)
    known: dict[str, str] = {}
    for word in words:
        text = str(word)
        if text not in known and text not in (".", "?"):
            try:
                known[text] = _element(text, words is types, source.options.names, formula)
            except NNPError as error:
                raise FileFormatError(f"{source.path}, {block.name}: {error}") from None
    symbols: Any = [known.get(str(word), str(word)) for word in words]
    return CIFBlock(block.name, {**dict(block), _TYPES: symbols})


def _element(word: str, is_type: bool, names: ElementNames, formula: Sequence[str]) -> str:
    """Symbol of ``Fe3+``, ``SI4+`` (types), ``Cd1``, ``OW``, ``SI2`` (labels)."""
    letters = (re.match(r"[A-Za-z]*", word) or [""])[0]
    if said := names.of_name(word) or names.of_name(letters):
        return said
    if letters.upper() in ("D", "T") and not (is_type and letters == "T"):
        return "D" if letters.upper() == "D" else element_of_symbol(letters, names)
    if is_type:
        return element_of_symbol(letters or word, names)
    if letters[:2] in SYMBOLS and letters[1:2].islower():
        return letters[:2]
    if not names.listed and formula:
        names = ElementNames(tuple(formula), names.named)
    return element_of_name(word, "", names)


def _elements_of_formula(block: Any) -> list[str]:
    """Elements that the block says it is made of, spelled as symbols are."""
    for tag in _FORMULAS:
        found = re.findall(r"[A-Z][a-z]?", str(block.get(tag) or ""))
        if found and all(symbol in SYMBOLS for symbol in found):
            return list(dict.fromkeys(found))
    return []
