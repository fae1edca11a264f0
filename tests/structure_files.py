"""Small files of structures in formats that other programs write, for tests."""

from __future__ import annotations

from pathlib import Path

from nnp.io.structures import Reading, ReadOptions, read

DUMP = """\
ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS pp pp {z}
0 14
0 14
0 14
ITEM: ATOMS {columns}
{rows}
"""
XSF = """\
{energy}
{kind}
PRIMVEC
 9.0 0.0 0.0
 0.0 9.0 0.0
 0.0 0.0 9.0
PRIMCOORD
3 1
O 1.00 1.00 1.00  0.25 -0.50 0.75
H 1.96 1.00 1.00 -0.20  0.30 -0.45
H 0.76 1.93 1.00 -0.05  0.20 -0.30
"""
DATA = """\
{title}

3 atoms
2 atom types
0 14 xlo xhi
0 14 ylo yhi
0 14 zlo zhi

{sections}
Atoms{style}

1 1 1 -0.8 1.00 1.00 1.00
2 1 2 0.4 1.96 1.00 1.00
3 1 2 0.4 0.76 1.93 1.00
"""
WATER_ROWS = "O 1.00 1.00 1.00\nH 1.96 1.00 1.00\nH 0.76 1.93 1.00\n"
# The same water in a dump's order of columns.
DUMP_ROWS = "1 1 1.00 1.00 1.00\n2 2 1.96 1.00 1.00\n3 2 0.76 1.93 1.00"


def dump(columns: str = "id type x y z", rows: str = DUMP_ROWS, z: str = "pp") -> str:
    """Two equal steps of a LAMMPS dump."""
    return "".join(DUMP.format(step=s, z=z, columns=columns, rows=rows) for s in (0, 10))


def data(sections: str = "", style: str = "", title: str = "water") -> str:
    """A LAMMPS data file of atom style full."""
    return DATA.format(title=title, sections=sections, style=style)


def masses(oxygen: str, hydrogen: str) -> str:
    """The section of two types."""
    return f"Masses\n\n1 {oxygen}\n2 {hydrogen}\n\n"


def xyz(comment: str, rows: str = WATER_ROWS) -> str:
    """One structure of an XYZ file."""
    return f"{len(rows.splitlines())}\n{comment}\n{rows}"


def extended(columns: str = "", keys: str = "", values: str = "", n: int = 3) -> str:
    """One structure of extended XYZ in a cell of 14 Å with further columns."""
    rows = "".join(f"{row} {values}\n" for row in WATER_ROWS.splitlines()[:n])
    lattice = "14 0 0 0 14 0 0 0 14"
    return xyz(f'Lattice="{lattice}" Properties=species:S:1:pos:R:3{columns} {keys}', rows)


def pdb(atoms: list[tuple[str, str, str]], cell: str = "") -> str:
    """A PDB file of atoms 3 Å apart: name (four characters), residue, element column."""
    lines = [f"CRYST1{cell}"] if cell else []
    for number, (name, residue, element) in enumerate(atoms):
        lines.append(
            f"HETATM{number + 1:>5} {name:<4} {residue:<3} A   1    "
            f"{3.0 * number:8.3f}{0:8.3f}{0:8.3f}  1.00  0.00          {element:>2}"
        )
    return "\n".join([*lines, "END", ""])


def gro(atoms: list[tuple[str, str]], box: str = "   3.00000   3.00000   3.00000") -> str:
    """A GRO file of atoms 3 Å apart: residue and name."""
    rows = [
        f"{1:>5}{residue:<5}{name:>5}{number + 1:>5}{0.3 * number:8.3f}{0:8.3f}{0:8.3f}"
        for number, (residue, name) in enumerate(atoms)
    ]
    return "\n".join(["title", f"{len(atoms):>5}", *rows, box, ""])


def reading(path: Path, text: str, index: str | int = ":", **options: object) -> Reading:
    """Write a text and read it."""
    path.write_text(text, encoding="utf-8")
    return read(path, ReadOptions(**options), index)  # type: ignore[arg-type]
