"""Chemical symbols and atomic numbers."""

from __future__ import annotations

from nnp.errors import OptionError

SYMBOLS: tuple[str, ...] = tuple(
    """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se
    Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb
    Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm
    Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
    """.split()
)
_ATOMIC_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS, start=1)}


def atomic_number(symbol: str) -> int:
    """Atomic number of a chemical symbol.

    Raises:
        OptionError: no element has this symbol.

    >>> atomic_number("Si")
    14
    """
    try:
        return _ATOMIC_NUMBER[symbol]
    except KeyError:
        raise OptionError(
            f"{symbol!r} is not the symbol of an element: symbols are written like 'H' or 'Si'"
        ) from None


def chemical_symbol(number: int) -> str:
    """Symbol of an atomic number.

    Raises:
        OptionError: the number is not in 1 to 118.

    >>> chemical_symbol(8)
    'O'
    """
    if not 1 <= number <= len(SYMBOLS):
        raise OptionError(f"atomic number {number} is not in 1 to {len(SYMBOLS)}")
    return SYMBOLS[number - 1]
