"""OUTCAR files as VASP writes them, as far as readers look at them."""

from __future__ import annotations

from ase.units import GPa

_RULE = " " + "-" * 83


def outcar(frames, encut=400.0, potential="PAW_PBE"):
    """Text of an OUTCAR with one ionic step per frame, labels of their calculators.

    Atoms must stand element by element, in the same order in every frame.
    """
    symbols = list(dict.fromkeys(frames[0].get_chemical_symbols()))
    counts = [frames[0].get_chemical_symbols().count(symbol) for symbol in symbols]
    lines = [" vasp.6.3.0 20Jan22 (build) complex", " executed on LinuxGNU date 2026.01.01"]
    lines += [f" POTCAR:    {potential} {symbol} 05Jan2001   " for symbol in symbols] * 2
    lines += [f"   TITEL  = {potential} {symbol} 05Jan2001" for symbol in symbols]
    lines += [f"   ions per type =              {'  '.join(map(str, counts))}"]
    lines += [f"   ENCUT  =  {encut:.1f} eV  29.40 Ry    5.42 a.u.", "   ISPIN  =      1    spin"]
    for number, atoms in enumerate(frames, start=1):
        lines += [f"--------------- Iteration {number:6d}(   1)  ---------------"]
        lines += _stress(atoms.get_stress())
        lines += ["      direct lattice vectors                 reciprocal lattice vectors"]
        lines += [" ".join(f"{x:.9f}" for x in [*row, 0.0, 0.0, 0.0]) for row in atoms.cell]
        lines += [" POSITION                                       TOTAL-FORCE (eV/Angst)", _RULE]
        rows = zip(atoms.positions, atoms.get_forces(), strict=True)
        lines += ["  ".join(f"{x:.8f}" for x in [*r, *f]) for r, f in rows]
        lines += [_RULE, "", "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)", "  " + "-" * 51]
        energy = atoms.get_potential_energy()
        lines += [f"  free  energy   TOTEN  =      {energy:.8f} eV", ""]
        zero = f"energy(sigma->0) = {energy:.8f}"
        lines += [f"  energy  without entropy=      {energy:.8f}  {zero}", ""]
    return "\n".join(lines) + "\n"


def _stress(stress):
    """VASP's sign, kB, and its order xx yy zz xy yz zx, from ASE's."""
    xx, yy, zz, yz, xz, xy = -10 * stress / GPa
    return ["  in kB " + " ".join(f"{x:.5f}" for x in (xx, yy, zz, xy, yz, xz))]
