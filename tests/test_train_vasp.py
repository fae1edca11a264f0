"""Data from VASP: an OUTCAR and a vasprun.xml of two steps, laid out as VASP does, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from nnp.errors import FileFormatError
from nnp.teachers.ase import Vashishta
from nnp.train.data.dataset import Dataset
from nnp.units import BAR

KBAR = 1000 * BAR  # eV/Å³
SMEARING = 0.125  # eV between the free energy and the energy at zero width


def steps():
    """Two labelled steps: forces, stress and energy of a teacher."""
    found = []
    for seed in (0, 1):
        atoms = bulk("SiO", "zincblende", a=4.4) * (2, 1, 1)
        atoms.rattle(0.05, seed=seed)
        atoms = atoms[np.argsort(atoms.numbers)[::-1]]  # VASP sorts atoms by species
        atoms.wrap()
        atoms.calc = Vashishta()
        atoms.get_forces()
        found.append(atoms)
    return found


def rows(array, tag=None):
    lines = [" ".join(f"{x:16.8f}" for x in row) for row in np.asarray(array)]
    return "\n".join(f"<{tag}>{line}</{tag}>" if tag else line for line in lines)


def varray(name, array):
    return f'<varray name="{name}">\n{rows(array, "v")}\n</varray>'


def structure(atoms, name=""):
    return (
        f"<structure{name}><crystal>{varray('basis', atoms.cell)}</crystal>"
        f"{varray('positions', atoms.get_scaled_positions())}</structure>"
    )


def kbar(atoms):
    """VASP's sign: pressure."""
    return -atoms.get_stress(voigt=False) / KBAR


def vasprun(images) -> str:
    first, parts = images[0], []
    kinds = "".join(f"<rc><c>{symbol}</c><c>1</c></rc>" for symbol in first.symbols)
    for atoms in images:
        free = atoms.get_potential_energy() - SMEARING
        energies = (
            f'<energy><i name="e_fr_energy">{free:.8f}</i>'
            f'<i name="e_wo_entrp">{free:.8f}</i>'
            f'<i name="e_0_energy">{free + SMEARING:.8f}</i></energy>'
        )
        parts.append(
            f"<calculation><scstep>{energies}</scstep>{structure(atoms)}"
            f"{varray('forces', atoms.get_forces())}{varray('stress', kbar(atoms))}{energies}"
            "</calculation>"
        )
    initial = structure(first, ' name="initialpos"')
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<kpoints><varray name="kpointlist"><v>0 0 0</v></varray>
<varray name="weights"><v>1.0</v></varray></kpoints>
<parameters><separator name="general"><i name="PSTRESS">0.0</i></separator></parameters>
<atominfo><atoms>{len(first)}</atoms>
<array name="atoms"><set>{kinds}</set></array></atominfo>
{initial}
{"".join(parts)}
</modeling>
"""


def outcar(images) -> str:
    first, parts = images[0], []
    species = list(dict.fromkeys(first.symbols))
    counts = " ".join(str(list(first.symbols).count(symbol)) for symbol in species)
    head = "".join(f" POTCAR:    PAW_PBE {symbol} 05Jan2001\n" for symbol in species)
    for atoms in images:
        free = atoms.get_potential_energy() - SMEARING
        p = kbar(atoms)
        xyz = np.concatenate([atoms.positions, atoms.get_forces()], axis=1)
        reciprocal = np.concatenate([atoms.cell.array, atoms.cell.reciprocal()], axis=1)
        pressure = rows([[p[0, 0], p[1, 1], p[2, 2], p[0, 1], p[1, 2], p[0, 2]]])
        parts.append(f"""
  in kB   {pressure}
      direct lattice vectors                 reciprocal lattice vectors
{rows(reciprocal)}

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
{rows(xyz)}
 -----------------------------------------------------------------------------------

  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =      {free:16.8f} eV

  energy  without entropy= {free:16.8f}  energy(sigma->0) = {free + SMEARING:16.8f}
""")
    return f"""{head}{head}   ions per type =    {counts}
   ISPIN  =      1    spin polarized calculation?
--------------------------------------- Iteration      1(   1)  ----------------------------
{"".join(parts)}
"""


@pytest.mark.parametrize(("name", "write"), [("vasprun.xml", vasprun), ("OUTCAR", outcar)])
def test_labels_of_vasp(tmp_path, name, write):
    images = steps()
    (tmp_path / name).write_text(write(images))
    found = Dataset.read(tmp_path / name)
    assert len(found) == 2
    for frame, atoms in zip(found, images, strict=True):
        assert frame.structure.symbols == list(atoms.symbols)
        assert frame.structure.pbc.all()
        np.testing.assert_allclose(frame.structure.cell, atoms.cell.array, atol=1e-7)
        np.testing.assert_allclose(frame.structure.positions, atoms.positions, atol=1e-6)
        np.testing.assert_allclose(frame.forces, atoms.get_forces(), atol=1e-7)
        assert np.abs(atoms.get_forces()).max() > 0.1
        # at zero width of the smearing: what ASE calls the energy
        assert frame.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
        np.testing.assert_allclose(frame.stress, atoms.get_stress(), atol=1e-8)


def test_broken_vasp_files_name_the_file(tmp_path):
    for name, write in (("vasprun.xml", vasprun), ("OUTCAR", outcar)):
        text = write(steps())
        (tmp_path / name).write_text(
            text[: text.index("Iteration" if name == "OUTCAR" else "<str")]
        )
        with pytest.raises(FileFormatError, match=name):
            Dataset.read(tmp_path / name)
