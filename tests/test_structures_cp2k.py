"""CP2K's trajectories: energies, forces and cells of three files, in eV and Å."""

from __future__ import annotations

import numpy as np
import pytest
from runs import nnp

from nnp.errors import FileFormatError
from nnp.io.structures.folders import read_many
from nnp.io.structures.reading import read
from nnp.units import BOHR, HARTREE

SYMBOLS = ("O", "H", "H")
POSITIONS = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
CELL = np.array([[9.8, 0.0, 0.0], [0.5, 9.9, 0.0], [0.0, 0.0, 10.1]])
RESTART = """ &MOTION
   &MD
     ENSEMBLE  {ensemble}
   &END MD
 &END MOTION
 &FORCE_EVAL
   &SUBSYS
     &CELL
       A     9.8000000000000007E+00    0.0000000000000000E+00    0.0000000000000000E+00
       B     5.0000000000000000E-01    9.9000000000000004E+00    0.0000000000000000E+00
       C     0.0000000000000000E+00    0.0000000000000000E+00    1.0100000000000000E+01
       PERIODIC  {periodic}
       MULTIPLE_UNIT_CELL  1 1 1
     &END CELL
   &END SUBSYS
 &END FORCE_EVAL
"""


def energy(step):
    return -17.16 + 0.001 * step


def positions(step):
    return POSITIONS + 0.001 * step


def forces(step):
    return np.array([[0.01, 0.0, 0.002 * step], [-0.01, 0.0, 0.0], [0.0, 0.0, -0.002 * step]])


def xyz(steps, values, symbols=SYMBOLS):
    lines = []
    for step in steps:
        lines += [
            "       3",
            f" i = {step:8d}, time = {0.5 * step:12.3f}, E = {energy(step):20.10f}",
        ]
        lines += [
            f"  {symbol}  " + " ".join(f"{x:19.10f}" for x in row)
            for symbol, row in zip(symbols, values(step), strict=True)
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def run(tmp_path):
    """A run of five steps in a constant cell."""
    (tmp_path / "w-pos-1.xyz").write_text(xyz(range(5), positions))
    (tmp_path / "w-frc-1.xyz").write_text(xyz(range(5), forces))
    (tmp_path / "w-1.restart").write_text(RESTART.format(ensemble="NVT", periodic="XYZ"))
    return tmp_path


def test_energies_forces_and_the_cell(run):
    found = read(run / "w-pos-1.xyz")
    assert "CP2K trajectory" in found.line
    for step, (atoms, labels) in enumerate(zip(found.frames, found.labels, strict=True)):
        assert labels.energy == pytest.approx(energy(step) * HARTREE, rel=1e-12)
        np.testing.assert_allclose(labels.forces, forces(step) * HARTREE / BOHR, rtol=1e-12)
        np.testing.assert_allclose(atoms.positions, positions(step), atol=1e-9)
        np.testing.assert_allclose(atoms.cell.array, CELL)
        assert atoms.pbc.all()
        assert atoms.get_chemical_symbols() == list(SYMBOLS)


def test_a_folder_is_read_once(run, capsys):
    readings = read_many([run])
    assert [reading.path.name for reading in readings.read] == ["w-pos-1.xyz"]
    said = " ".join(readings.left_out)
    assert "1 file of 3 belongs to trajectories of CP2K: w-frc-1.xyz" in said
    assert "1 file of 3 holds structures without labels: w-1.restart" in said
    assert nnp("doctor", run) == 0
    assert "labels          energy 5, forces 5" in capsys.readouterr().out


def test_cells_of_each_step_go_first(run):
    rows = ["#   Step   Time [fs]  Ax [Angstrom] …"]
    for step in range(5):
        numbers = [0.5 * step, *(CELL * (1 + 0.01 * step)).ravel(), 980.0]
        rows.append(f"{step:8d} " + " ".join(f"{x:.10f}" for x in numbers))
    (run / "w-1.cell").write_text("\n".join(rows) + "\n")
    (run / "w-1.restart").write_text(RESTART.format(ensemble="NPT_I", periodic="XYZ"))
    said = " ".join(read_many([run]).left_out)
    assert "2 files of 4 belong to trajectories of CP2K: w-1.cell, w-frc-1.xyz" in said
    with pytest.raises(FileFormatError, match=r"holds no positions: read w-pos-1\.xyz"):
        read(run / "w-1.cell")
    frames = read(run / "w-pos-1.xyz").frames
    np.testing.assert_allclose(frames[3].cell.array, 1.03 * CELL)
    (run / "w-1.cell").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(FileFormatError, match="step 4: no cell of this step"):
        read(run / "w-pos-1.xyz")
    (run / "w-1.cell").unlink()
    with pytest.raises(FileFormatError, match=r"its cell changes: w-1\.cell is expected"):
        read(run / "w-pos-1.xyz")


@pytest.mark.parametrize(("periodic", "pbc"), [("NONE", (False,) * 3), ("XY", (True, True, False))])
def test_axes_without_images(run, periodic, pbc):
    (run / "w-1.restart").write_text(RESTART.format(ensemble="NVE", periodic=periodic))
    (atoms, *_) = read(run / "w-pos-1.xyz").frames
    assert tuple(atoms.pbc) == pbc
    assert atoms.cell.array.any() == any(pbc)


def test_steps_belong_together_by_number(run):
    """Forces of every other step; and a step that a restart wrote again."""
    (run / "w-frc-1.xyz").write_text(xyz([0, 2, 4], forces))
    found = read(run / "w-pos-1.xyz")
    assert [own.forces is None for own in found.labels] == [False, True, False, True, False]
    np.testing.assert_allclose(found.labels[2].forces, forces(2) * HARTREE / BOHR, rtol=1e-12)
    assert any("w-frc-1.xyz lacks 2 of 5 steps" in remark for remark in found.remarks)
    again = [0, 1, 2, 2, 3]
    (run / "w-pos-1.xyz").write_text(xyz(again, positions))
    (run / "w-frc-1.xyz").write_text(xyz(again, forces))
    assert all(own.forces is not None for own in read(run / "w-pos-1.xyz").labels)


def test_without_forces_it_is_said(run):
    (run / "w-frc-1.xyz").unlink()
    found = read(run / "w-pos-1.xyz")
    assert found.labels[0].forces is None
    assert any("no forces: no file of them beside it" in remark for remark in found.remarks)


def test_under_another_name_its_energies_are_not_suggested(run):
    """They are in hartree, and nothing says so."""
    (run / "w-pos-1.xyz").rename(run / "a.xyz")
    found = read(run / "a.xyz")
    assert "extended XYZ" in found.line
    assert not any("--energy-key E" in remark for remark in found.remarks)


def test_what_cannot_be_read(run):
    with pytest.raises(FileFormatError, match=r"holds no positions: read w-pos-1\.xyz"):
        read(run / "w-frc-1.xyz")
    (run / "w-frc-1.xyz").write_text(xyz(range(5), forces, ("H", "O", "H")))
    with pytest.raises(FileFormatError, match=r"frc-1\.xyz, step 0: its atoms are not those of"):
        read(run / "w-pos-1.xyz")
    whole = xyz(range(5), positions)
    (run / "w-pos-1.xyz").write_text(whole[: len(whole) - 80])
    with pytest.raises(FileFormatError, match="3 atoms with three numbers each are expected"):
        read(run / "w-pos-1.xyz")
    (run / "w-pos-1.xyz").write_text(whole)
    (run / "w-1.restart").write_text("&CELL\n A 1 2\n&END CELL\n")
    with pytest.raises(FileFormatError, match="A, B and C with three numbers"):
        read(run / "w-pos-1.xyz")
    (run / "w-1.restart").unlink()
    with pytest.raises(FileFormatError, match=r"its cell is not known: w-1.cell is expected"):
        read(run / "w-pos-1.xyz")
