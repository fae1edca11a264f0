"""Which element a name, a type or a mass stands for; a question where it could be two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ase.data import atomic_masses

from nnp.elements import SYMBOLS
from nnp.errors import OptionError, StructureError

__all__ = ["ElementNames", "element_of_mass", "element_of_name", "element_of_symbol"]

# A mass further from an element's than this (u) is a repartitioned one, an isotope or united atom;
# files round to 0.1 at most. Argon and calcium, 0.13 apart, may both be meant.
_MASS_TOLERANCE = 0.1

_WATERS = frozenset("HOH WAT H2O SOL TIP TIP2 TIP3 TIP4 TIP5 TP3 SPC SPCE DOD OPC".split())
# Residues whose names follow the protein data bank's: heavy atoms are C, N, O, S, P, one letter.
_BIOMOLECULES = frozenset(
    "ALA ARG ASH ASN ASP CYM CYS CYX GLH GLN GLU GLY HID HIE HIP HIS HSD HSE HSP ILE LEU LYN LYS "
    "MET PHE PRO SER THR TRP TYR VAL ACE NME NMA NH2 DA DC DG DT DU A C G T U".split()
)
# Names of single ions that are not symbols (CHARMM's and others').
_IONS = {"SOD": "Na", "CLA": "Cl", "POT": "K", "CAL": "Ca", "CES": "Cs", "LIT": "Li", "ZN2": "Zn"}
# The residue of GRO files that ASE writes, in which names are symbols.
_OF_ASE = "1DUM"
_VIRTUAL = re.compile(r"^(MW|EP|LP|VS|DUM|M|DRUD|D[OCNS])\d*$")


@dataclass(frozen=True)
class ElementNames:
    """What ``--types`` says.

    Attributes:
        listed: symbols: of types 1, 2, …; for files of names, the elements that there are.
        named: symbol by name or type.
        used: gets ``"types"`` once one of them decided something.

    >>> ElementNames.parse("Si,O").listed
    ('Si', 'O')
    >>> ElementNames.parse("CA=Ca,OW=O").named
    {'CA': 'Ca', 'OW': 'O'}
    """

    listed: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str | None, used: set[str] | None = None) -> ElementNames:
        """From ``Si,O`` (or with blanks), ``1=Si,2=O`` or ``CA=Ca``.

        Args:
            text: what is said; None: nothing.
            used: see the class.

        Raises:
            OptionError: something that is not a symbol.
        """
        listed, named = [], {}
        for word in re.split(r"[,\s]+", text.strip()) if text else ():
            name, equals, symbol = word.rpartition("=")
            if symbol not in SYMBOLS or (equals and not name):
                raise OptionError(
                    f"types {text!r}: {symbol!r} is not the symbol of an element; give symbols in "
                    "the order of the types, such as Si,O, or NAME=SYMBOL, such as 1=Si,CA=Ca"
                )
            if equals:
                named[name] = symbol
            else:
                listed.append(symbol)
        return cls(tuple(listed), named, set() if used is None else used)

    def of_type(self, number: int) -> str | None:
        """Symbol of a type, counted from 1; None if it is not given."""
        if symbol := self.of_name(str(number)):
            return symbol
        if not 1 <= number <= len(self.listed):
            return None
        self.used.add("types")
        return self.listed[number - 1]

    def of_name(self, name: str) -> str | None:
        """Symbol of a name; None if it is not given."""
        if name not in self.named:
            return None
        self.used.add("types")
        return self.named[name]

    def among(self, candidates: list[str]) -> list[str]:
        """Those candidates that are listed; all where none is."""
        found = [symbol for symbol in candidates if symbol in self.listed]
        if found:
            self.used.add("types")
        return found or candidates

    def __bool__(self) -> bool:
        return bool(self.listed or self.named)


def element_of_mass(mass: float) -> str | None:
    """Symbol of the only element of this mass (u) within 0.1 u; None when there is none or two.

    >>> element_of_mass(28.0855), element_of_mass(12.0), element_of_mass(3.0)
    ('Si', 'C', None)
    """
    near = [s for s, m in zip(SYMBOLS, atomic_masses[1:], strict=False) if _close(m, mass)]
    return near[0] if len(near) == 1 else None


def _close(mass: float, other: float) -> bool:
    return abs(mass - other) <= _MASS_TOLERANCE


def element_of_symbol(word: str, names: ElementNames) -> str:
    """Symbol of a word that should be one, in any case; ``names`` goes first.

    Raises:
        StructureError: it is none; says what to do.
    """
    if said := names.of_name(word):
        return said
    symbol = word.capitalize()
    if symbol in SYMBOLS:
        return symbol
    if symbol in ("D", "T"):
        isotope = {"D": "deuterium", "T": "tritium"}[symbol]
        raise StructureError(
            f"{word!r} is {isotope}, which has hydrogen's energies: write H and its mass, or say "
            f"--types {word}=H"
        )
    raise StructureError(
        f"{word!r} is not the symbol of an element: write one, or say what it is, such as "
        f"--types {word}=Si"
    )


def element_of_name(
    name: str, residue: str, names: ElementNames, beside: frozenset[str] = frozenset()
) -> str:
    """Symbol of an atom's name in a residue (GRO, or PDB without its element column).

    A name that begins like a two-letter element is that element only where the residue says so:
    an ion is called like its residue, a salt like its formula; amino acids have one-letter ones.

    Args:
        name: of the atom, such as CA, OW or CL1.
        residue: its name.
        names: what the user says of names.
        beside: names of all atoms in residues of this name.

    Raises:
        StructureError: it can mean two elements, or none.
    """
    if said := names.of_name(name):
        return said
    if residue == _OF_ASE and name in SYMBOLS:
        return name
    bare, inside = re.sub(r"[^A-Za-z]", "", name).upper(), re.sub(r"[^A-Za-z0-9]", "", residue)
    inside = inside.upper()
    if inside not in _BIOMOLECULES and (_VIRTUAL.match(name.upper()) or not bare):
        raise StructureError(
            f"the atom {name} of {residue or 'no residue'} is a virtual site or no element: leave "
            f"it out of the file, or say what it is: --types {name}=O"
        )
    found = names.among(_candidates(bare, inside, beside))
    if len(found) == 1:
        return found[0]
    what = " or ".join(found) or "no element"
    raise StructureError(
        f"the atom {name} of {residue or 'no residue'} can be {what}: say which, such as "
        f"--types {name}={(found or ['Si'])[0]}, or which elements there are: --types Na,Cl"
    )


def _candidates(bare: str, residue: str, beside: frozenset[str]) -> list[str]:
    """Elements that a name may mean, the longer symbol first."""
    if bare in _IONS and bare == residue:
        return [_IONS[bare]]
    symbols = _spelled(bare)
    if residue in _WATERS or residue in _BIOMOLECULES:
        return [s for s in symbols if len(s) == 1]
    if len(symbols) == 2 and bare == re.sub(r"\d", "", residue):  # an ion: NA of NA, CL of CL
        return [s for s in symbols if s.upper() == bare] or symbols
    if len(symbols) == 2 and symbols[0].upper() == bare:
        formula = _formula(re.sub(r"\d", "", residue), beside)
        return [s for s in symbols if s in formula] or symbols
    return symbols


def _spelled(bare: str) -> list[str]:
    """Elements that the first two letters or the first one spell."""
    return [s for s in dict.fromkeys((bare[:2].capitalize(), bare[:1])) if s in SYMBOLS]


def _formula(letters: str, beside: frozenset[str]) -> set[str]:
    """Elements of a residue that is called like its formula (NACL, SIO2), if its atoms agree."""
    readings = sorted(_formulas(letters), key=len)
    if not readings or (len(readings) > 1 and len(readings[0]) == len(readings[1])):
        return set()
    found = set(readings[0])
    spelled = [set(_spelled(re.sub(r"[^A-Za-z]", "", name).upper())) for name in beside]
    return found if all(symbols & found for symbols in spelled) else set()


def _formulas(letters: str) -> Iterator[tuple[str, ...]]:
    if not letters:
        yield ()
    for length in (1, 2):
        symbol = letters[:length].capitalize()
        if len(letters) >= length and symbol in SYMBOLS:
            for rest in _formulas(letters[length:]):
                yield (symbol, *rest)
