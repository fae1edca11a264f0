"""Covalent radii of NEP's typewise cutoffs: 4/3 of Pyykkö and Atsumi's single-bond radii.

P. Pyykkö and M. Atsumi, Chem. Eur. J. 15, 186 (2009), doi:10.1002/chem.200800987; those of metals
10 % smaller, as in S. Grimme et al., J. Chem. Phys. 132, 154104 (2010), doi:10.1063/1.3382344.
"""

from __future__ import annotations

from nnp.elements import atomic_number
from nnp.errors import OptionError

# H to Pu, pm, before the factor 4/3
_PICOMETRES = [
    int(number)
    for number in """
    32 46
    120 94 77 75 71 63 64 67
    140 125 113 104 110 102 99 96
    176 154 133 122 121 110 107 104 100 99 101 109 112 109 115 110 114 117
    189 167 147 139 132 124 115 113 113 108 115 123 128 126 126 123 132 131
    209 176 162 147 158 157 156 155 151 152 151 150 149 149 148 153 146 137 131 123 118 116 111 112
    113 132 130 130 136 131 138 142
    201 181 167 158 152 153 154 155
    """.split()
]


def covalent_radius(symbol: str) -> float:
    """R of an element, Å, with the six significant digits that NEP's programs have.

    Raises:
        OptionError: no radius is known (elements beyond plutonium).

    >>> covalent_radius("Si")
    1.38667
    """
    number = atomic_number(symbol)
    if number > len(_PICOMETRES):
        raise OptionError(f"NEP knows no covalent radius of {symbol}: only H to Pu have one")
    return float(f"{_PICOMETRES[number - 1] / 75:.6g}")
