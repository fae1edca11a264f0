"""What potentials say of crystals: published constants of Stillinger-Weber, closed forms."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms
from matscipy.elasticity import fit_elastic_constants
from runs import nnp

from nnp.analysis import read_analysis
from nnp.analysis.eos import (
    EosSettings,
    elastic_constants,
    energy_volume,
    equation_of_state,
    phonons,
)
from nnp.analysis.thermodynamics import EV_PER_A3_IN_GPA
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.teachers.ase import StillingerWeber

LATTICE_CONSTANT = 5.43095


@pytest.fixture(scope="module")
def silicon():
    found, crystal = equation_of_state(
        StillingerWeber(), bulk("Si", a=5.5), EosSettings(supercell=(4, 4, 4))
    )
    return found, crystal


# H. Balamane, T. Halicioglu and W. A. Tiller, Phys. Rev. B 46, 2250 (1992); C44 with ions at rest
@pytest.mark.parametrize(
    ("name", "wanted", "tolerance"),
    [
        ("C11", 151.4, 0.1),
        ("C12", 76.4, 0.1),
        ("C44", 56.4, 0.1),
        ("bulk modulus", 101.4, 0.2),
        ("energy", -4.3363, 0.0005),
        ("volume", 5.431**3 / 8, 0.01),
    ],
)
def test_stillinger_weber_silicon(silicon, name, wanted, tolerance):
    assert silicon[0][name].value == pytest.approx(wanted, abs=tolerance)


def test_two_ways_to_a_bulk_modulus(silicon):
    found = silicon[0]
    assert found["bulk modulus (elastic)"].value == pytest.approx(
        found["bulk modulus"].value, rel=2e-3
    )
    assert found["residual of the curve"].value < 0.01
    assert found.notes == []


def test_phonons_of_silicon(silicon):
    """Threefold at Γ, twofold at X, and what forces of the whole supercell's modes tell."""
    found, crystal = silicon
    one = phonons(StillingerWeber(), crystal, (3, 3, 3))
    np.testing.assert_allclose(one.special["G"][:3], 0.0, atol=1e-3)
    np.testing.assert_allclose(one.special["G"][3:], one.special["G"][-1], rtol=1e-6)
    # Γ needs no supercell: the two sublattices against each other, by finite differences
    step, moved = 0.005, crystal.copy()
    moved.positions[0] += [step, 0, 0]
    moved.calc = StillingerWeber()
    stiffness = -moved.get_forces()[0, 0] / step
    reduced = crystal.get_masses()[0] / 2
    in_thz = np.sqrt(1.602176634e-19 * 1e20 / 1.66053906892e-27) / (2 * np.pi) * 1e-12
    assert one.special["G"][-1] == pytest.approx(np.sqrt(stiffness / reduced) * in_thz, rel=1e-3)
    assert found["highest phonon at G"].value == pytest.approx(one.special["G"][-1], rel=1e-3)
    # Dulong and Petit's, and three modes an atom
    assert one.heat_capacity[-1] == pytest.approx(3 * 8.314, rel=0.04)
    width = one.frequencies[1] - one.frequencies[0]
    assert one.density.sum() * width == pytest.approx(3.0, rel=0.01)


def test_matscipy_agrees(silicon):
    crystal = silicon[1].copy()
    crystal.calc = StillingerWeber()
    wanted, _ = fit_elastic_constants(
        crystal, symmetry="cubic", N_steps=5, delta=1e-3, verbose=False, logfile=None
    )
    clamped = elastic_constants(StillingerWeber(), crystal, relax_ions=False)
    np.testing.assert_allclose(clamped.constants, wanted * EV_PER_A3_IN_GPA, atol=0.3)
    assert clamped.cubic is not None
    assert clamped.cubic[2] > 100  # ions that follow the cell are twice as stiff


class Elastic(Calculator):
    """Energy and stress of given constants: strains of a reference cell, ions do not matter."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, cell, constants):
        super().__init__()
        self._inverse, self._constants = np.linalg.inv(cell), constants

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        gradient = self._inverse @ atoms.cell.array
        strain = (gradient + gradient.T) / 2 - np.eye(3)
        voigt = strain[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * [1, 1, 1, 2, 2, 2]
        stress = self._constants @ voigt / EV_PER_A3_IN_GPA
        energy = 0.5 * atoms.get_volume() * voigt @ stress
        self.results = {"energy": energy, "forces": np.zeros((len(atoms), 3)), "stress": stress}


def test_constants_put_in_come_out():
    rng = np.random.default_rng(0)
    constants = rng.normal(scale=10.0, size=(6, 6))
    constants = constants @ constants.T / 5 + 60 * np.eye(6)
    atoms = Atoms("Si", cell=[[4, 0, 0], [1, 5, 0], [0.5, 1, 6]], pbc=True)
    found = elastic_constants(Elastic(atoms.cell.array, constants), atoms)
    np.testing.assert_allclose(found.constants, constants, rtol=1e-6)
    assert found.cubic is None
    assert found.stable
    assert not type(found)(-constants, 0.0).stable


def test_moduli_of_an_isotropic_solid():
    young, poisson = 100.0, 0.3
    lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = young / (2 * (1 + poisson))
    constants = np.diag([2 * shear] * 3 + [shear] * 3)
    constants[:3, :3] += lame
    atoms = Atoms("Si", cell=np.eye(3) * 5, pbc=True)
    found = elastic_constants(Elastic(atoms.cell.array, constants), atoms)
    assert found.young_modulus == pytest.approx(young)
    assert found.poisson_ratio == pytest.approx(poisson)
    assert found.bulk_modulus == pytest.approx(young / (3 * (1 - 2 * poisson)))


def test_refusals():
    teacher = StillingerWeber()
    with pytest.raises(StructureError, match="periodic along three axes: give a structure"):
        energy_volume(teacher, molecule("SiH4"))
    held = bulk("Si")
    held.set_constraint(FixAtoms([0]))
    with pytest.raises(StructureError, match="keeps atoms fixed"):
        elastic_constants(teacher, held)
    with pytest.raises(NumericalError, match="energies fall up to the smallest volume"):
        energy_volume(teacher, bulk("Si", a=5.8))
    with pytest.raises(OptionError, match=r"span=0\.7"):
        energy_volume(teacher, bulk("Si"), span=0.7)
    with pytest.raises(OptionError, match="strain=0"):
        elastic_constants(teacher, bulk("Si"), strain=0.0)
    with pytest.raises(OptionError, match="three whole numbers"):
        phonons(teacher, bulk("Si"), (2, 2))


def test_the_command(tmp_path, monkeypatch, capsys):
    from ase.io import read, write

    monkeypatch.chdir(tmp_path)
    write("si.extxyz", bulk("Si", a=5.45, cubic=True))
    words = ("eos", "silicon_sw", "si.extxyz", "--supercell", 2, 1, 1, "--points", 5)
    assert nnp(*words) == 0
    out = capsys.readouterr().out
    assert "C44" in out
    assert re.search(r"lowest phonon +0  THz", out)
    assert max(len(line) for line in out.splitlines() if line.startswith("  ")) <= 80
    found = read_analysis("eos")
    assert found["C11"].value == pytest.approx(150.55, abs=0.1)
    assert set(found.curves) >= {"energy_volume", "birch_murnaghan", "elastic", "phonon_bands"}
    assert (tmp_path / "eos" / "eos.png").stat().st_size > 10_000
    still = read(tmp_path / "eos" / "relaxed.extxyz")
    np.testing.assert_allclose(still.cell.lengths(), LATTICE_CONSTANT, atol=2e-3)
    assert still.get_potential_energy() == pytest.approx(8 * found["energy"].value, abs=1e-4)
    assert nnp(*words) == 1
    assert "holds an analysis" in capsys.readouterr().err
    write("molecule.xyz", molecule("SiH4"))
    assert nnp("eos", "silicon_sw", "molecule.xyz", "--output", "other") == 1
    assert "periodic along three axes" in capsys.readouterr().err


def test_settings_are_refused_before_any_work_and_all_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match=r"span=0\.7.*; points=3.*; strain=0\.2.*; supercell=.*0"):
        EosSettings(span=0.7, points=3, strain=0.2, supercell=(1, 1, 0))
    with pytest.raises(OptionError, match=r"supercell=\[2, 2, 2\] belongs to phonons"):
        EosSettings(supercell=(2, 2, 2), with_phonons=False)
    assert EosSettings(strain=0.2, elastic=False).strain == 0.2
    words = ("eos", "silicon_sw", "none.extxyz", "--output", "x/y")
    for more, message in (
        (("--span", 0.9, "--points", 2), "span=0.9: a relative change of the volume"),
        (("--span", 0.9, "--points", 2), "points=2: a whole number from 5"),
        (("--strain", 0.5), "strain=0.5: must be above 0 and at most 0.05"),
        (("--strain", 0.001, "--no-elastic"), "--strain 0.001 belongs to the elastic constants"),
        (("--supercell", 2, 2, 2, "--no-phonons"), "belongs to phonons, which are left out"),
    ):
        assert nnp(*words, *more) == 1
        assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["relaxed.extxyz", "eos.png"])
def test_files_that_would_be_overwritten_are_told_before_any_work(
    tmp_path, monkeypatch, capsys, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("precious")
    assert nnp("eos", "silicon_sw", "none.extxyz", "--output", ".") == 1
    assert f"or a part of one ({name}): choose another --output" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "precious"
