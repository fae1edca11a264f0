"""NEP potentials: known answers, engines, files that are refused."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from nep_files import nep_text

import nnp
from nnp.engines.cpu import CpuEngine
from nnp.errors import FileFormatError, OptionError
from nnp.io import n2p2
from nnp.io.nep.radii import covalent_radius
from nnp.terms import RepulsionTerm
from nnp.testing import assert_engines_agree, random_structure, structures

CASES = (
    "nep3-1el-4body",
    "nep3-2el-5body",
    "nep4-1el-3body",
    "nep4-1el-5body",
    "nep4-2el-4body",
    "nep4-5el-cutoffs",
    "nep4-zbl-3el",
    "nep4-zbl-flexible-2el",
    "nep4-zbl-3el-legacy-typewise",
)
# Of the largest of a case, at least 1: NEP_CPU writes its constants with fifteen digits.
RTOL = 1e-11


@pytest.fixture
def load(tmp_path):
    def load(**options):
        path = tmp_path / "nep.txt"
        path.write_text(nep_text(**options))
        return nnp.load(path)

    return load


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ["reference", "cpu", "saved"])
def test_known_answers(reference_data, tmp_path, case, engine):
    folder = reference_data / "nep" / case
    potential, wanted = nnp.load(folder / "nep.txt"), np.load(folder / "expected.npz")
    if engine == "reference":
        pytest.importorskip("torch")
    if engine == "saved":
        potential.save(tmp_path / "model.nnp")
        potential, engine = nnp.load(tmp_path / "model.nnp"), "cpu"
    first = 0
    for frame, atoms in enumerate(ase.io.read(folder / "structure.extxyz", ":")):
        rows = slice(first, first + len(atoms))
        periodic = bool(atoms.pbc.all())
        found = potential.evaluate(atoms, engine=engine, stress=periodic)
        forces = wanted["forces"][rows]
        energies = wanted["atomic_energy"][rows]
        scale = max(1, np.abs(energies).max())
        np.testing.assert_allclose(found.energies, energies, atol=RTOL * scale)
        np.testing.assert_allclose(found.forces, forces, atol=RTOL * max(1, np.abs(forces).max()))
        if periodic:
            virial = -wanted["virial"][frame].reshape(3, 3) / atoms.get_volume()
            stress = virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
            atol = RTOL * max(1, np.abs(wanted["virial"][frame]).max()) / atoms.get_volume()
            np.testing.assert_allclose(found.stress, stress, atol=atol)
        first += len(atoms)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("l_max", ["1", "2 2", "4 2 1", "4 1 1 1 1 1 1", "8 2 0"])
def test_engines_agree(load, l_max, dtype):
    pytest.importorskip("torch")
    potential = load(l_max=l_max)
    assert_engines_agree(potential, random_structure(("H", "O"), 20, seed=3), "cpu", dtype)
    assert_engines_agree(potential, structures(("H", "O"))["triclinic"], "cpu", dtype)


@pytest.mark.parametrize("version", [3, 5])
def test_versions(load, version):
    """NEP3 has one network for all elements, NEP5 a bias of its own for each."""
    potential = load(version=version)
    first, second = (model.network for model in potential.models)
    same = all(np.array_equal(a, b) for a, b in zip(first.biases, second.biases, strict=True))
    assert same == (version == 3)


def test_products_are_each_others_transpose(load):
    engine = CpuEngine(load(l_max="4 1 1 1 1 1 1"))
    box, rng = random_structure(("H", "O"), 12, seed=1), np.random.default_rng(2)
    flat = np.concatenate(engine.descriptors(box))
    weights, direction = rng.normal(size=flat.shape), rng.normal(size=box.positions.shape)
    gradient, by_strain = engine.descriptor_vjp(box, weights, strain=True)
    change = engine.descriptor_jvp(box, direction)
    np.testing.assert_allclose(weights @ change, np.vdot(gradient, direction), rtol=1e-11)
    strain = rng.normal(size=(3, 3))
    stretched = engine.descriptor_jvp(box, strain=strain)
    np.testing.assert_allclose(weights @ stretched, np.vdot(by_strain, strain), rtol=1e-11)


def test_rotations_change_nothing(load):
    potential = load(l_max="4 1 1 1 1 1 1")
    cluster = structures(("H", "O"))["molecule"]
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    turned = type(cluster)(
        cluster.positions @ turn, cluster.atomic_numbers, cluster.cell, cluster.pbc
    )
    for before, after in zip(
        potential.descriptors(cluster), potential.descriptors(turned), strict=True
    ):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-13 * np.abs(before).max())


def test_committee(load, tmp_path):
    members = [load(seed=seed) for seed in (1, 2)]
    committee = nnp.Committee.of(members)
    box = random_structure(("H", "O"), 10, seed=4)
    found = committee.evaluate(box)
    energies = [member.evaluate(box).energy for member in members]
    assert found.energy == pytest.approx(np.mean(energies), rel=1e-12)
    committee.save(tmp_path / "committee.nnp")
    again = nnp.load(tmp_path / "committee.nnp").evaluate(box)
    assert again.energy == pytest.approx(found.energy, rel=1e-12)


def test_openmm_may_take_the_gpu_kernels(load):
    """Where nothing is asked for the device decides: its kernels have functions of moments."""
    pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import _plugin, create_force
    from nnp.openmm.native_force import GPU_KERNELS, attributes

    if reason := _plugin.why_unavailable():
        pytest.skip(reason)
    nep = replace(load(), terms=(RepulsionTerm.universal(("H", "O"), 1.0, 2.0),))
    for asked in (None, True, False):
        force = create_force(nep, ["O", "H"], periodic=False, gpu_kernels=asked)
        assert attributes(force)["gpuKernels"] == str(GPU_KERNELS[asked])


def test_n2p2_has_no_such_function(load, tmp_path):
    with pytest.raises(OptionError, match="n2p2 has no such function"):
        n2p2.write(load(), tmp_path / "directory")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("nep4 2", "nep4_dipole 2"), "dipoles, not energies"),
        (("nep4 2", "nep4_charge2 2"), "charges"),
        (("nep4 2", "nep 2"), "NEP2"),
        (("nep4 2", "nep6 2"), "unknown model nep6"),
        (("nep4 2 O H", "nep4 2 O Xx"), "line 1: 'Xx' is not the symbol"),
        (("nep4 2 O H", "nep4 3 O H"), "3 elements are announced, 2 follow"),
        (("cutoff 5 4 100 80", "cutoff 5 4 100"), "line 2: 3 numbers after cutoff"),
        (("cutoff 5 4 100 80", "cutoffs 5 4 100 80"), "line 2: 'cutoffs' where 'cutoff'"),
        (("cutoff 5 4 100 80", "cutoff 5 -4 100 80"), "line 2: cutoff is -4"),
        (("n_max 4 3", "n_max 4 x"), "line 3: 'x' is not a number"),
        (("l_max 4 2 1", "l_max 9 2 1"), "line 5: l_max is 9"),
        (("l_max 4 2 1", "l_max 4 3 1"), "q222 is 3"),
        (("ANN 7 0", "ANN 7 5"), "line 6: a second hidden layer"),
        (("ANN 7 0", "ANN 8 0"), "numbers after its header, which asks for"),
        (("nep4 2 O H", "nep4_zbl 2 O H\nzbl 2 1"), "line 2: zbl 2 1"),
        (("nep4 2 O H", "nep4_zbl 2 O H"), "line 2: 'cutoff' where 'zbl'"),
    ],
)
def test_refusals(tmp_path, change, message):
    path = tmp_path / "nep.txt"
    path.write_text(nep_text().replace(*change))
    with pytest.raises(FileFormatError, match=message):
        nnp.load(path)


@pytest.mark.parametrize("damage", ["cut", "word", "nan"])
def test_damaged_numbers(tmp_path, damage):
    lines = nep_text().splitlines()
    if damage == "cut":
        lines = lines[:-1]
    else:
        lines[20] = {"word": "0.1x", "nan": "nan"}[damage]
    path = tmp_path / "nep.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(FileFormatError, match="cut off" if damage == "cut" else "line 21"):
        nnp.load(path)


def test_units_are_known(tmp_path):
    path = tmp_path / "nep.txt"
    path.write_text(nep_text())
    with pytest.raises(OptionError, match="leave it out"):
        nnp.load(path, units="metal")


def test_covalent_radii_have_six_digits():
    assert covalent_radius("Mg") == 1.66667
    assert covalent_radius("H") == 0.426667
    with pytest.raises(OptionError, match="H to Pu"):
        covalent_radius("Am")
