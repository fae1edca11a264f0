"""Deep Potential's local frames: against a plain formula, invariances, and where they are torn."""

from __future__ import annotations

import itertools

import ase.io
import numpy as np
import pytest
import torch
from ase import Atoms
from test_c_model import Opened
from train_data import dataset, directional_slope, objective, settings

import nnp
from nnp.ase import NNPCalculator
from nnp.cli.program import main
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines.reference_products import Work
from nnp.errors import OptionError, UnavailableError
from nnp.functions import LocalFrame, canonical_order
from nnp.io import nep
from nnp.neighbors import neighbor_list
from nnp.networks import Network
from nnp.openmm import create_force
from nnp.openmm.torchscript import scripted
from nnp.reference.model import AtomicEnergies
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.testing import assert_forces_match_energy, check_engine
from nnp.testing.structures import random_structure, structures
from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import evaluate
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.run import train
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import build
from nnp.train.inputs.functions import FunctionSettings
from nnp.train.inputs.local_frame import GeneratedLocalFrame
from nnp.train.inputs.products import DescriptorProducts

HARD, SMOOTH = Cutoff(CutoffKind.HARD, 4.0), Cutoff(CutoffKind.POLY2, 4.5)


def frames_of(elements, axes=None, places=6, cutoff=HARD):
    """All four components of some places, for every central element."""
    return canonical_order(
        LocalFrame(symbol, place, component, axes, cutoff)
        for symbol in elements
        for place in range(1, places + 1)
        for component in "rxyz"
    )


def potential_of(elements=("Si",), axes=None, places=6, cutoff=SMOOTH, functions=None):
    """Random networks on them."""
    rng = np.random.default_rng(3)
    functions = tuple(functions or frames_of(elements, axes, places, cutoff))
    n, models = len(functions), []
    for symbol in elements:
        weights = (rng.normal(0, 0.5, (n, 5)), rng.normal(0, 0.5, (5, 1)))
        network = Network(weights, (rng.normal(size=5), rng.normal(size=1)), ("t", "l"))
        scaling = Scaling(np.zeros(n), np.ones(n), np.zeros(n), np.ones(n), ScalingMode.NONE)
        models.append(nnp.ElementModel(symbol, functions, scaling, network))
    return nnp.Potential(tuple(models))


def plain(structure, functions, atom):
    """The paper's formula, with images by brute force and no thought of speed."""
    radius = functions[0].radius
    reach = [range(-3, 4) if periodic else (0,) for periodic in structure.pbc]
    around = []
    for shift in itertools.product(*reach):
        for other, symbol in enumerate(structure.symbols):
            d = structure.positions[other] + np.array(shift) @ structure.cell
            d = d - structure.positions[atom]
            if 1e-9 < np.linalg.norm(d) < radius:
                around.append((np.linalg.norm(d), symbol, d))
    around.sort(key=lambda neighbor: neighbor[0])
    wanted = functions[0].axes or (None, None)

    def first(symbol, among):
        named = [d for _, s, d in among if s == symbol]
        return (named or [d for _, _, d in among])[0]

    e_1 = first(wanted[0], around)
    e_1 = e_1 / np.linalg.norm(e_1)
    off = [n for n in around if np.linalg.norm(np.cross(n[2], e_1)) > 0.01 * n[0]]
    e_2 = np.zeros(3)
    if off:
        b = first(wanted[1], off)
        e_2 = b - (b @ e_1) * e_1
        e_2 /= np.linalg.norm(e_2)
    frame = np.array([e_1, e_2, np.cross(e_1, e_2)])
    found = []
    for f in functions:
        own = [n for n in around if n[1] == f.neighbor]
        if len(own) < f.place:
            found.append(0.0)
            continue
        r, _, d = own[f.place - 1]
        numbers = dict(zip("rxyz", [1 / r, *(frame @ d / r**2)], strict=True))
        found.append(numbers[f.component])
    return np.array(found)


@pytest.mark.parametrize("axes", [None, ("O", "H"), ("H", "H")])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_papers_formula(axes, periodic):
    structure = random_structure(("H", "O"), 12, seed=4)
    if not periodic:
        structure = Structure(
            structure.positions, structure.atomic_numbers, np.zeros((3, 3)), False
        )
    potential = potential_of(("H", "O"), axes, places=12, cutoff=HARD)
    functions = potential.models[0].functions
    rows = potential.descriptors(structure, engine="reference")
    for atom, row in enumerate(rows):
        np.testing.assert_allclose(row, plain(structure, functions, atom), rtol=1e-12, atol=1e-14)


def test_frames_side_by_side():
    """Functions of one atom in different frames and with different cutoffs."""
    kinds = [(None, HARD), (("H", "O"), HARD), (("H", "O"), SMOOTH)]
    functions = [f for axes, c in kinds for f in frames_of(("H", "O"), axes, 2, c)]
    structure = random_structure(("H", "O"), 12, seed=4)
    potential = potential_of(("H", "O"), functions=canonical_order(functions))
    for kind in kinds:
        own = [(i, f) for i, f in enumerate(potential.models[0].functions) if f.shared == kind]
        assert len(own) == 16
        columns, alone = zip(*own, strict=True)
        single = potential_of(("H", "O"), functions=alone)
        both = (p.descriptors(structure, engine="reference") for p in (potential, single))
        for row, other in zip(*both, strict=True):
            np.testing.assert_allclose(row[list(columns)], other, rtol=1e-13)


# Structures with neighbours equally far away have no derivative, and an energy by numbering.
TIES = ("straight_line", "crystal", "one_atom_cell")


@pytest.mark.parametrize("elements", [("Si",), ("O", "Si")])
def test_contract(elements):
    """Invariances, forces, stress, virials, both products: away from where frames change."""
    potential = potential_of(elements, axes=None if len(elements) == 1 else ("O", "Si"))
    engine = potential.make_engine("reference")
    check_engine(engine, TIES)
    structure = structures(elements)["triclinic"]
    strain = np.random.default_rng(0).normal(0, 1, (3, 3))
    weights = np.random.default_rng(1).normal(size=sum(map(len, engine.descriptors(structure))))
    pulled = np.vdot(engine.descriptor_vjp(structure, weights, strain=True)[1], strain)
    pushed = weights @ engine.descriptor_jvp(structure, strain=strain)

    def values(t):
        turn = np.eye(3) + t * strain
        moved = Structure(
            structure.positions @ turn, structure.atomic_numbers, structure.cell @ turn, True
        )
        return weights @ np.concatenate(engine.descriptors(moved))

    h = 1e-5
    np.testing.assert_allclose(pushed, (values(h) - values(-h)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(pulled, pushed, rtol=1e-10)
    assert_forces_match_energy(potential, structures(elements)["molecule"], "reference")


def test_torchscript_is_the_same():
    potential = potential_of(("O", "Si"))
    model = AtomicEnergies(potential)
    work = Work(potential, structures(("O", "Si"))["rattled"])
    (block,) = work.blocks
    found, scripted_found = (
        work(m, block, work.vectors(block))[0].detach().numpy() for m in (model, scripted(model))
    )
    np.testing.assert_allclose(scripted_found, found, rtol=1e-13)


def test_mirror_images_differ():
    """The frame is right-handed: z of all neighbours changes its sign, and the energy with it."""
    potential, structure = potential_of(), structures(("Si",))["molecule"]
    mirrored = Structure(-structure.positions, structure.atomic_numbers, structure.cell, False)
    rows, other = (potential.descriptors(s, engine="reference") for s in (structure, mirrored))
    signs = [-1.0 if f.component == "z" else 1.0 for f in potential.models[0].functions]
    np.testing.assert_allclose(np.array(other), signs * np.array(rows), atol=1e-14)
    assert np.abs(np.array(rows)[:, np.array(signs) < 0]).max() > 0.01


def around(*distances_and_angles):
    """Si at the origin with neighbours in a plane, and one above it."""
    places = [
        (r * np.cos(np.radians(angle)), r * np.sin(np.radians(angle)), 0)
        for r, angle in distances_and_angles
    ]
    return Atoms(f"Si{len(places) + 2}", [(0, 0, 0), *places, (0.4, 0.3, 2.9)])


def energy_and_force(potential, atoms):
    found = potential.evaluate(atoms, "reference")
    return found.energy, found.forces


# What crosses another: a neighbour that becomes b; one that becomes a; two of the outer ones.
SWITCHES = {
    "second axis": lambda x: around((2.2, 0), (2.4 + x, 100), (2.4 - x, 230)),
    "first axis": lambda x: around((2.2 + x, 0), (2.2 - x, 100), (2.6, 230)),
    "order": lambda x: around((2.2, 0), (2.3, 100), (2.7 + x, 200), (2.7 - x, 290)),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_the_energy_jumps_where_neighbours_change_places(name):
    potential, h = potential_of(), 1e-7
    before, after = (energy_and_force(potential, SWITCHES[name](x)) for x in (-h, h))
    assert abs(after[0] - before[0]) > 1e-3
    assert np.abs(after[1] - before[1]).max() > 1e-3
    # and nowhere else
    before, after = (energy_and_force(potential, SWITCHES[name](0.05 + x)) for x in (-h, h))
    assert abs(after[0] - before[0]) < 1e-5


@pytest.mark.parametrize(("cutoff", "torn"), [(HARD, True), (Cutoff(CutoffKind.POLY2, 4.0), False)])
def test_the_energy_jumps_at_a_hard_cutoff(cutoff, torn):
    potential = potential_of(cutoff=cutoff)
    energies = [
        energy_and_force(potential, around((2.2, 0), (2.4, 100), (4.0 + x, 200)))[0]
        for x in (-1e-7, 1e-7)
    ]
    assert (abs(energies[1] - energies[0]) > 1e-3) == torn


def test_fewer_neighbours_than_a_frame_needs():
    """Lone: nothing. One, or all in a line: along it; y, z and forces across are 0."""
    potential = potential_of(places=3)
    functions = potential.models[0].functions
    lone = potential.descriptors(Atoms("Si"), engine="reference")[0]
    assert not lone.any()
    line = Atoms("Si3", [(0, 0, 0), (0, 0, 2.1), (0, 0, -2.3)])
    across = [f.component in "yz" for f in functions]
    for atoms in (line[:2], line):
        row = potential.descriptors(atoms, engine="reference")[0]
        assert not row[across].any()
        forces = potential.evaluate(atoms, "reference").forces
        assert np.isfinite(forces).all()
        assert not forces[:, :2].any()
    x = {f.place: v for f, v in zip(functions, row, strict=True) if f.component == "x"}
    assert x[1] > 0 > x[2]


def test_an_axis_whose_element_is_not_there():
    """It is the nearest of any."""
    atoms = Atoms("OO2", [(0, 0, 0), (0, 0, 1.2), (0, 1.5, 0.1)])
    functions = frames_of(("H", "O"), ("H", "H"))
    named, free = (
        potential_of(("H", "O"), axes).descriptors(atoms, engine="reference")[0]
        for axes in (("H", "H"), None)
    )
    assert len(functions) == len(named)
    np.testing.assert_array_equal(named, free)
    assert named.any()


def test_what_cannot_be_asked():
    for change, message in (
        ({"place": 0}, "1 is the nearest"),
        ({"component": "w"}, "allowed are r, x, y, z"),
        ({"axes": ("H",)}, "two symbols are expected"),
    ):
        with pytest.raises(OptionError, match=message):
            LocalFrame(
                **{"neighbor": "H", "place": 1, "component": "r", "axes": None} | change,
                cutoff=HARD,
            )


def test_generated_functions():
    structures_ = [frame.structure for frame in dataset(("H", "O"), count=4)]
    table = {
        "generate": {
            "family": "local_frame",
            "cutoff": 3.0,
            "full": 2,
            "full_of": {"H": 3},
            "radial_of": {"O": 1},
            "axes": {"O": ["H", "H"]},
        }
    }
    settings = from_table(TrainingSettings, {"data": {"train": "x"}, "functions": table}, "")
    found = settings.functions.generate.for_elements(("H", "O"), structures_)
    assert {f.axes for f in found["O"]} == {("H", "H")}
    assert {f.axes for f in found["H"]} == {None}
    oxygens = [(f.place, f.component) for f in found["H"] if f.neighbor == "O"]
    assert oxygens == [(1, c) for c in "rxyz"] + [(2, c) for c in "rxyz"] + [(3, "r")]
    most = max(f.place for f in found["O"] if f.neighbor == "H")
    counted = 0
    for structure in structures_:
        pairs = neighbor_list(structure, 3.0)
        z = structure.atomic_numbers
        mine = (z[pairs.i] == 8) & (z[pairs.j] == 1)
        counted = max(counted, np.bincount(pairs.i[mine]).max())
    assert most == max(counted, 3)
    assert {f.component for f in found["O"] if f.place > 3} == {"r"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": -1.0}, "positive number of Å"),
        ({"full": -1}, "0 or more"),
        ({"full": 0, "radial": 0}, "no neighbour is left"),
        ({"axes": {"H": ("O", "O")}}, "name O: the data have H"),
    ],
)
def test_generated_functions_refuse(change, message):
    with pytest.raises(OptionError, match=message):
        GeneratedLocalFrame(**change).for_elements(("H",))


def fit_settings(folder, kind="adam", **run):
    """Deep Potential's way: minibatches, exponential decay, prefactors that follow the rate."""
    return from_table(
        TrainingSettings,
        {
            "data": {"train": "unused"},
            "functions": {"generate": {"family": "local_frame", "cutoff": 4.0, "full": 3}},
            "network": {"hidden": [8, 8]},
            "loss": {
                "energy": 0.02,
                "energy_end": 1.0,
                "forces": 1000.0,
                "forces_end": 1.0,
                "schedule": True,
            },
            "optimizer": {"kind": kind, "batch": 2},
            "schedule": {"kind": "exponential", "final": 0.001, "by_step": True},
            "run": {"epochs": 2, "threads": 1, "output": str(folder), **run},
        },
        "",
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local_frame") / "run"
    data = (dataset(("H", "O"), count=6), Dataset(()))
    return train(fit_settings(folder), quiet=True, data=data).potential, data[0], folder


def test_training(trained):
    """Fitted by the reference engine's products, and judged by the engine itself."""
    potential, data, folder = trained
    assert not potential.compiled
    log = np.genfromtxt(folder / "log.csv", delimiter=",", names=True)
    found = evaluate(potential, data).comparisons["forces"].statistics()["rmse"]
    assert found == pytest.approx(log["train_force_rmse"].min(), rel=1e-5)
    functions = {model.symbol: model.functions for model in potential.models}
    with pytest.raises(OptionError, match=r"run.device = 'cuda': .*'local_frame'; run.device = 'c"):
        DescriptorProducts(functions, device="cuda")


@pytest.mark.parametrize("elements", [("H", "O")])
def test_gradient_of_the_loss(elements):
    """By the reference engine's products, stress included."""
    functions = FunctionSettings(generate=GeneratedLocalFrame(cutoff=4.0, full=3))
    chosen = settings(functions=functions, loss=LossSettings(stress=1.0))
    made = build(chosen, dataset(elements, count=2), Dataset(()), quiet=True)
    aim = objective(made, energy=3.0, forces=2.0, stress=5.0)
    _, gradient = aim.value_and_gradient(made.theta, made.train)
    direction = torch.ones_like(gradient)
    slope = directional_slope(lambda t: aim.value(t, made.train), made.theta, direction)
    assert float(gradient.sum()) == pytest.approx(slope, rel=1e-7)


def test_file_and_doors(trained, tmp_path, capsys):
    """One-file model, ASE, OpenMM, commands; refusals name the way out where there is no door."""
    potential, data, folder = trained
    path, wrong = folder / "best.nnp", "no functions of the family 'local_frame': use engine='ref"
    again = nnp.load(path)
    assert [m.functions for m in again.models] == [m.functions for m in potential.models]
    structure = data[0].structure
    atoms = Atoms(structure.symbols, structure.positions, cell=structure.cell, pbc=structure.pbc)
    atoms.calc = NNPCalculator(path, engine="reference")
    energy, stress = atoms.get_potential_energy(), atoms.get_stress()
    found = potential.evaluate(atoms, "reference", stress=True)
    assert energy == pytest.approx(found.energy, rel=1e-12)
    np.testing.assert_allclose(stress, found.stress, rtol=1e-12)
    assert type(create_force(potential, atoms, engine="reference")).__name__ == "PythonForce"
    for engine in ("cpu", "opencl"):
        with pytest.raises(OptionError, match=wrong):
            potential.make_engine(engine)
    with pytest.warns(RuntimeWarning, match=f"auto' takes engine='reference': .*{wrong}"):
        assert potential.make_engine("auto").name == "reference"
    with pytest.raises(UnavailableError, match=wrong):
        potential.make_engine("auto", threads=1)
    with pytest.raises(OptionError, match="cannot be written: n2p2 has no such function"):
        nnp.io.n2p2.write(potential, tmp_path / "n2p2")
    with pytest.raises(OptionError, match="it has a local_frame"):
        nep.write(potential, tmp_path / "nep.txt")
    with pytest.raises(OptionError, match="ænet has no function such as local_frame"):
        nnp.io.aenet.write(potential, tmp_path / "aenet")
    with pytest.raises(OptionError, match="only Python's reference engine has it"):
        Opened.of(path)
    start, model = str(tmp_path / "start.extxyz"), str(path)
    ase.io.write(start, atoms.copy())
    out = str(tmp_path / "out.extxyz")
    assert main(["predict", model, start, "--engine", "reference", "--output", out]) == 0
    assert ase.io.read(out).get_potential_energy() == pytest.approx(energy, abs=1e-5)
    assert main(["info", model]) == 0
    assert "all have axes nearest" in capsys.readouterr().out
    for words in (["predict", model, start], ["lammps", model, start]):
        assert main(words) != 0
        assert wrong in capsys.readouterr().err
