"""Sampling by dynamics, augmenting, mixing."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.constraints import FixAtoms

from nnp.cli import main
from nnp.errors import OptionError, StructureError
from nnp.io.structures import read_structures, write_structures
from nnp.teachers.ase import StillingerWeber
from nnp.train.data.augment import AugmentSettings, augment, mix
from nnp.train.data.sampling import SampleSettings, label, sample
from nnp.units import METAL


def test_snapshots_carry_labels():
    settings = SampleSettings((300.0, 900.0), (0.95, 1.05), 2, 3, 4, seed=1)
    start = bulk("Si", cubic=True)
    found = sample([start], StillingerWeber, settings)
    assert len(found) == 2 * 2 * 2
    volumes = {round(a.get_volume() / start.get_volume(), 6) for a in found}
    assert volumes == {0.95, 1.05}
    assert [a.info["group"] for a in found] == ["300 K"] * 4 + ["900 K"] * 4
    for atoms in found:
        check = atoms.copy()
        check.calc = StillingerWeber()
        assert atoms.get_potential_energy() == pytest.approx(check.get_potential_energy())
        np.testing.assert_allclose(atoms.get_forces(), check.get_forces(), atol=1e-10)
        np.testing.assert_allclose(atoms.get_stress(), check.get_stress(), atol=1e-10)
    again = sample([start], StillingerWeber, settings)
    np.testing.assert_array_equal(found[-1].positions, again[-1].positions)
    assert not np.allclose(found[0].positions, found[1].positions)


def test_labels_without_dynamics():
    crystal = bulk("Si", cubic=True)
    crystal.rattle(0.1, seed=1)
    crystal.info = {"group": "shaken"}
    (found,) = label([crystal], StillingerWeber)
    np.testing.assert_array_equal(found.positions, crystal.positions)
    assert found.info == {"group": "shaken"}
    crystal.calc = StillingerWeber()
    assert found.get_potential_energy() == crystal.get_potential_energy()
    np.testing.assert_array_equal(found.get_forces(), crystal.get_forces())
    np.testing.assert_array_equal(found.get_stress(), crystal.get_stress())


def test_augmented_copies():
    crystal = bulk("Si", cubic=True)
    crystal.calc = StillingerWeber()
    found = augment([crystal], AugmentSettings(scale=0.1, copies=50, seed=2))
    factors = np.array([a.info["scale"] for a in found])
    assert 0.9 <= factors.min() < 0.92
    assert 1.08 < factors.max() <= 1.1
    for atoms, factor in zip(found, factors, strict=True):
        np.testing.assert_allclose(atoms.cell, crystal.cell * factor)
        fractions = atoms.get_scaled_positions(wrap=False)
        np.testing.assert_allclose(fractions, crystal.get_scaled_positions(wrap=False))
        assert atoms.calc is None
    shaken = augment([molecule("H2O")], AugmentSettings(0.0, 0.0, 0.2, 200))
    moves = np.array([a.positions - molecule("H2O").positions for a in shaken])
    assert moves.std() == pytest.approx(0.2, rel=0.1)
    strained = augment([crystal], AugmentSettings(0.0, 0.05))[0]
    strain = np.linalg.solve(crystal.cell, strained.cell) - np.eye(3)
    np.testing.assert_allclose(strain, strain.T, atol=1e-12)
    assert 0.005 < np.abs(strain).max() < 0.2


def strain_of(atoms, crystal):
    return np.linalg.solve(crystal.cell, atoms.cell) - np.eye(3)


def test_volumes_directions_vacancies_and_single_moves():
    crystal = bulk("Si", cubic=True)
    found = augment([crystal], AugmentSettings(volume=0.1, copies=200))
    ratios = np.array([atoms.get_volume() for atoms in found]) / crystal.get_volume()
    assert 0.9 <= ratios.min() < 0.91
    assert 1.09 < ratios.max() <= 1.1
    assert ratios.mean() == pytest.approx(1, abs=0.015)
    directed = AugmentSettings(0.0, 0.06, copies=3, directions=("yy", "xz"))
    strains = [strain_of(atoms, crystal) for atoms in augment([crystal], directed)]
    for strain, size in zip(strains[:3], (-0.06, 0, 0.06), strict=True):
        np.testing.assert_allclose(strain, np.diag([0, size, 0]), atol=1e-12)
    for strain, size in zip(strains[3:], (-0.03, 0, 0.03), strict=True):
        wanted = np.zeros((3, 3))
        wanted[0, 2] = wanted[2, 0] = size
        np.testing.assert_allclose(strain, wanted, atol=1e-12)
    moved = augment([crystal], AugmentSettings(0.0, displacement=0.1, displaced=2, copies=20))
    counts = {int((atoms.positions != crystal.positions).any(axis=1).sum()) for atoms in moved}
    assert counts == {2}
    empty = augment([crystal], AugmentSettings(0.0, vacancies=3, copies=20))
    assert {len(atoms) for atoms in empty} == {5}
    places = {tuple(map(tuple, atoms.positions)) for atoms in empty}
    assert len(places) > 10
    everything = set(map(tuple, crystal.positions))
    assert all(set(own) <= everything for own in places)
    with pytest.raises(StructureError, match="8 atoms: none is left with 8 vacancies"):
        augment([crystal], AugmentSettings(vacancies=8))
    with pytest.raises(OptionError, match=r"direction 'zx' of a strain: allowed are xx, yy, zz"):
        AugmentSettings(strain=0.1, directions=("zx",))
    with pytest.raises(OptionError, match="directions without a strain"):
        AugmentSettings(directions=("xx",))


def with_foreign_labels():
    crystal = bulk("Si", cubic=True)
    crystal.info |= {"dft_energy": -1.0, "REF_virial": np.ones(9), "group": "mine"}
    crystal.arrays["dft_forces"] = np.ones((8, 3))
    crystal.arrays["tags"] = np.arange(8)
    return crystal


def test_labels_of_the_old_positions_are_left_behind():
    (found,) = augment([with_foreign_labels()], AugmentSettings(copies=1))
    assert set(found.arrays) == {"numbers", "positions", "tags"}
    assert set(found.info) == {"group", "scale"}


def test_labels_of_another_origin_are_left_out_beside_the_teachers():
    with pytest.warns(UserWarning, match="left out .*: dft_energy, REF_virial, dft_forces"):
        (found,) = label([with_foreign_labels()], StillingerWeber)
    assert found.info == {"group": "mine"}
    assert set(found.arrays) == {"numbers", "positions"}


def test_forces_of_fixed_atoms_are_labels_too():
    crystal = bulk("Si", cubic=True)
    crystal.rattle(0.1, seed=1)
    free = label([crystal], StillingerWeber)[0].get_forces()
    crystal.set_constraint(FixAtoms([0, 1]))
    fixed = label([crystal], StillingerWeber)[0].calc.results["forces"]
    np.testing.assert_array_equal(fixed, free)
    assert np.abs(fixed[0]).max() > 0.01


class FailsLater(StillingerWeber):
    """Computes five times, then not."""

    calls = 0

    def calculate(self, *words, **more):
        self.calls += 1
        if self.calls > 5:
            raise self.error
        super().calculate(*words, **more)


@pytest.mark.parametrize("static", [True, False])
def test_a_teacher_that_fails_later_says_where_and_what_was_done_stays(
    tmp_path, capsys, monkeypatch, static
):
    frames = [bulk("Si", cubic=True) for _ in range(7)]
    for number, atoms in enumerate(frames):
        atoms.rattle(0.01, seed=number)
    start, output = tmp_path / "start.extxyz", tmp_path / "drawn.data"
    ase.io.write(start, frames)
    FailsLater.error = NotImplementedError("no such element")
    monkeypatch.setattr("nnp.teachers.by_name.teacher", lambda *_: FailsLater)
    steps = ["--snapshots", "3", "--interval", "2", "--equilibration", "0"]
    words = ["sample", str(start), str(output), *(["--static"] if static else steps)]
    assert main(words) == 1
    error = capsys.readouterr().err
    wanted = "structure 5:" if static else "structure 0 at 300 K, volume factor 1, step "
    assert f"{wanted}" in error
    assert "the teacher FailsLater cannot compute Si8: NotImplementedError: no such el" in error
    assert not output.exists()
    partial = tmp_path / "drawn.partial.extxyz"
    done = ase.io.read(partial, ":")
    assert len(done) == (5 if static else 2)
    assert all("forces" in atoms.calc.results for atoms in done)
    assert main(words) == 1
    text = "drawn.partial.extxyz holds the snapshots of an interrupted run: continue it with --res"
    assert text in capsys.readouterr().err
    FailsLater.error = KeyboardInterrupt()
    assert main([*words, "--force"]) == 130
    assert len(ase.io.read(partial, ":")) == len(done)
    monkeypatch.setattr("nnp.teachers.by_name.teacher", lambda *_: StillingerWeber)
    assert main([*words, "--force"]) == 0
    assert not partial.exists()
    assert output.exists()


def test_components_of_a_strain():
    crystal = bulk("Si", cubic=True)
    found = augment([crystal], AugmentSettings(0.0, 0.05, copies=2000))
    strains = np.array([np.linalg.solve(crystal.cell, a.cell) - np.eye(3) for a in found])
    wanted = np.where(np.eye(3), 0.05, 0.05 / np.sqrt(2))
    np.testing.assert_allclose(strains.std(axis=0), wanted, rtol=0.08)  # five of 1/√(2 · 2000)
    with pytest.raises(OptionError, match=r"strain = 50 must be from 0 to below 0\.5"):
        AugmentSettings(strain=50)


def test_structures_without_atoms_are_refused(tmp_path, capsys):
    frames = [bulk("Si"), Atoms(cell=[5, 5, 5], pbc=True)]
    for words in (sample, frames, StillingerWeber, SampleSettings()), (label, frames, None):
        with pytest.raises(StructureError, match="structure 1 has no atoms"):
            words[0](*words[1:])
    ase.io.write(tmp_path / "zero.extxyz", frames)
    words = [str(tmp_path / "zero.extxyz"), str(tmp_path / "out.extxyz")]
    for command in ("augment", "sample"):
        assert main([command, *words]) == 1
        assert "structure 1 has no atoms" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["zero.extxyz"]


def test_mixture():
    first, second = [bulk("Si")] * 10, [bulk("C")] * 10
    found = mix(first, second, 10, 0.8)
    assert [str(a.symbols) for a in found] == ["Si2"] * 8 + ["C2"] * 2
    with pytest.raises(OptionError, match="the second set has 10 structures, 15"):
        mix(first, second, 20, 0.25)
    with pytest.raises(OptionError, match="ratio = 2"):
        mix(first, second, 10, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperatures": ()}, "temperatures = "),
        ({"volumes": (0.0,)}, "volumes = "),
        ({"snapshots": 0}, "snapshots = 0"),
        ({"timestep_fs": -1.0}, "timestep_fs = -1"),
        ({"temperatures": (300.0, 1e12)}, r"temperatures = .*: numbers above 0, up to 100000"),
        ({"volumes": (float("nan"),)}, r"volumes = \[nan\]"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(OptionError, match=message):
        SampleSettings(**values)


def test_units_of_input_data(tmp_path):
    crystal = bulk("Si", cubic=True)
    crystal.calc = StillingerWeber()
    crystal.calc.get_property("energy", crystal)
    source, made, labelled = (tmp_path / f"{n}.data" for n in ("start", "made", "labelled"))
    write_structures([crystal], source, METAL)
    words = ["--units", "metal"]
    assert main(["augment", str(source), str(made), "--scale", "0", *words]) == 0
    assert main(["sample", str(made), str(labelled), "--static", *words]) == 0
    (found,) = read_structures(labelled, METAL)
    np.testing.assert_allclose(found.cell, crystal.cell)
    assert found.get_potential_energy() == pytest.approx(crystal.get_potential_energy())


def test_commands(tmp_path, capsys):
    start, drawn, made = (str(tmp_path / f"{n}.extxyz") for n in ("start", "drawn", "made"))
    ase.io.write(start, bulk("Si", cubic=True))
    steps = ["--snapshots", "2", "--interval", "2", "--equilibration", "1"]
    assert main(["sample", start, drawn, "--temperatures", "300", "600", *steps]) == 0
    assert len(ase.io.read(drawn, ":")) == 4
    assert main(["augment", start, made, "--scale", "0.1", "--copies", "5"]) == 0
    assert len(ase.io.read(made, ":")) == 5
    words = ["--strain", "0.02", "--directions", "xx", "xy", "--vacancies", "1", "--copies", "2"]
    assert main(["augment", start, made, *words, "--force"]) == 0
    sizes = [len(atoms) for atoms in ase.io.read(made, ":")]
    assert sizes == [7] * 4
    assert {atoms.info["scale"] for atoms in ase.io.read(made, ":")} == {1.0}
    assert main(["augment", start, made, "--volume", "0.1", "--scale", "0.1", "--force"]) == 1
    assert "--scale and --volume both scale the cell" in capsys.readouterr().err
    assert main(["augment", start, made, "--scale", "0.1", "--copies", "5", "--force"]) == 0
    labelled = str(tmp_path / "labelled.extxyz")
    assert main(["sample", made, labelled, "--static"]) == 0
    assert all("energy" in atoms.calc.results for atoms in ase.io.read(labelled, ":"))
    mixed = str(tmp_path / "mixed.extxyz")
    words = ["--copies", "9", "--mix", drawn, "--ratio", "0.5", "--count", "8"]
    assert main(["augment", start, mixed, *words]) == 0
    assert len(ase.io.read(mixed, ":")) == 8
    assert main(["sample", start, drawn, "--teacher", "nobody", "--force"]) == 1
    assert "--teacher 'nobody': allowed are" in capsys.readouterr().err
    words = ["--teacher", "lennard-jones", "--set", "Si=0.5,2.1", "cutoff=4", "smooth=true"]
    assert main(["sample", start, drawn, "--force", *words, *steps]) == 0
    assert main(["sample", start, drawn, "--teacher", "lennard-jones", "--force"]) == 1
    assert "knows only Ar" in capsys.readouterr().err
    assert main(["sample", start, drawn, "--set", "smooth"]) == 2
    assert "'smooth' is not KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--count", "3"), ("--ratio", "0.5")])
def test_options_of_a_mixture_without_one_are_refused(tmp_path, capsys, words):
    start, made = str(tmp_path / "start.extxyz"), tmp_path / "made.extxyz"
    ase.io.write(start, bulk("Si", cubic=True))
    assert main(["augment", start, str(made), *words]) == 1
    assert f"{words[0]} belongs to --mix FILE: give both or neither" in capsys.readouterr().err
    assert not made.exists()
