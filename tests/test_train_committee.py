"""Committees: mean and deviation, the mean as one potential, files, ASE, OpenMM, selection."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import Atoms

import nnp
from nnp.ase import NNPCalculator
from nnp.cli import main
from nnp.committee import Committee
from nnp.errors import FileFormatError, OptionError
from nnp.io.structures import read_structures, write_structures
from nnp.networks import Activation, Network
from nnp.scaling import ScalingMode
from nnp.testing import random_potential, random_structure
from nnp.train.data.select import Candidate, choose, rank
from nnp.units import ATOMIC, KJ_PER_MOL, METAL

ELEMENTS = ("H", "O")


def members(activations=(Activation.TANH, Activation.TANH), count=3):
    """Potentials that differ in their weights only."""
    first = random_potential(
        ELEMENTS, seed=1, families=("radial", "angular_narrow"), activations=activations
    )
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        models = []
        for model in first.models:
            n = model.network
            weights = tuple(w + rng.normal(0, 0.1, w.shape) for w in n.weights)
            network = Network(weights, n.biases, n.activations)
            # a narrow range: the structures below leave it
            scaling = replace(model.scaling, maximum=model.scaling.minimum + 1.5)
            models.append(
                replace(model, network=network, scaling=scaling, energy_offset=float(seed))
            )
        found.append(replace(first, models=tuple(models)))
    return found


def unlike_members():
    """Other functions, scaling, sizes of layers and energy scales; the same depth."""
    found = []
    for seed, families in enumerate((("radial",), ("radial", "angular_wide"), ("angular_narrow",))):
        made = random_potential(ELEMENTS, seed, families, activations=(Activation.TANH,) * 2)
        models = []
        for model in made.models:
            n = len(model.functions)
            sizes = (n, 3 + seed, 5 - seed)
            rng = np.random.default_rng(seed)
            weights = [rng.normal(size=s) for s in ((n, sizes[1]), sizes[1:], (sizes[2], 1))]
            biases = [rng.normal(size=w.shape[1]) for w in weights]
            network = Network(tuple(weights), tuple(biases), model.network.activations)
            mode, maximum = list(ScalingMode)[seed], model.scaling.minimum + 0.8
            scaling = replace(model.scaling, maximum=maximum, mode=mode)  # some functions leave it
            models.append(replace(model, network=network, scaling=scaling))
        found.append(replace(made, models=tuple(models), energy_scale=1.0 + seed))
    return found


STRUCTURE = random_structure(ELEMENTS, 7, seed=4)


def as_atoms(s):
    return Atoms(s.symbols, s.positions, cell=s.cell, pbc=s.pbc)


def test_mean_and_deviation():
    own = members()
    found = Committee.of(own).evaluate(STRUCTURE, "reference", stress=True)
    single = [m.evaluate(STRUCTURE, "reference", stress=True) for m in own]
    for name in ("energy", "forces", "stress"):
        values = np.array([getattr(s, name) for s in single])
        np.testing.assert_allclose(getattr(found, name), values.mean(axis=0))
        np.testing.assert_allclose(getattr(found, f"{name}_deviation"), values.std(axis=0))
    assert found.forces_deviation.min() > 0
    assert found.energies.sum() == pytest.approx(found.energy)


def test_the_furthest_of_several_extrapolations():
    """Members of different ranges flag the same functions: the narrowest counts."""
    own = members(count=3)
    for number, width in ((0, 1.2), (2, 1.4)):
        models = [
            replace(m, scaling=replace(m.scaling, maximum=m.scaling.minimum + width))
            for m in own[number].models
        ]
        own[number] = replace(own[number], models=tuple(models))
    found = Committee.of(own).evaluate(STRUCTURE, "reference").extrapolations
    wanted = own[0].evaluate(STRUCTURE, "reference").extrapolations
    assert len(wanted) > 5
    for name in ("atoms", "functions", "excess", "relative"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_without_forces():
    found = Committee.of(members()).evaluate(STRUCTURE, "reference", forces=False)
    assert found.forces is None
    assert found.forces_deviation is None


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_mean_is_one_potential(depth):
    committee = Committee.of(members(activations=(Activation.TANH,) * depth))
    wanted = committee.evaluate(STRUCTURE, "reference")
    found = committee.mean().evaluate(STRUCTURE, "reference")
    assert found.energy == pytest.approx(wanted.energy, rel=1e-12)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-12)


def test_mean_of_unlike_members():
    """Functions, scalings and layers of all members end in one network."""
    committee = Committee.of(unlike_members())
    wanted = committee.evaluate(STRUCTURE, "reference")
    found = committee.mean().evaluate(STRUCTURE, "reference")
    assert found.energy == pytest.approx(wanted.energy, rel=1e-10)
    scale = np.abs(wanted.forces).max()
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-10 * scale)
    elements = committee.element_indices(STRUCTURE)

    def flags(evaluation, potential):
        """Atoms with the functions, not their numbers."""
        return {
            (e.atom, potential.models[elements[e.atom]].functions[e.function])
            for e in evaluation.extrapolations
        }

    each = [flags(m, p) for m, p in zip(wanted.members, committee.members, strict=True)]
    assert all(each)
    assert flags(wanted, committee) == set().union(*each)


def test_members_that_do_not_fit():
    own = members()
    with pytest.raises(OptionError, match="committee of 1 potentials"):
        Committee.of(own[:1])
    with pytest.raises(OptionError, match="two or more for the same elements"):
        Committee.of([own[0], random_potential(("Si",))])
    with pytest.raises(OptionError, match="share number and activations of layers"):
        Committee.of([own[0], members(activations=(Activation.TANH,))[0]])
    model = own[0].models[0]
    layers = (Activation.TANH,) * len(model.network.activations)
    network = replace(model.network, activations=layers)
    bent = replace(own[0], models=(replace(model, network=network), own[0].models[1]))
    with pytest.raises(OptionError, match="output layer has the activation 't'"):
        Committee.of([bent, bent])


def test_one_file(tmp_path):
    committee = Committee.of(members(), {"made": "here"})
    committee.save(tmp_path / "committee.nnp")
    found = nnp.load(tmp_path / "committee.nnp")
    assert isinstance(found, Committee)
    assert found.provenance == {"made": "here"}
    wanted = committee.evaluate(STRUCTURE, "reference")
    got = found.evaluate(STRUCTURE, "reference")
    assert (got.energy, got.energy_deviation) == (wanted.energy, wanted.energy_deviation)
    data = (tmp_path / "committee.nnp").read_bytes()
    (tmp_path / "cut.nnp").write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError, match="not a complete nnp model file"):
        nnp.load(tmp_path / "cut.nnp")


def test_folder_of_members(tmp_path):
    own = members(count=11)
    for number, member in enumerate(own):
        (tmp_path / f"member_{number}").mkdir()
        member.save(tmp_path / f"member_{number}" / "best.nnp")
    found = nnp.load(tmp_path)
    assert [m.models[0].energy_offset for m in found.members] == list(range(11))


def test_ase_calculator():
    committee = Committee.of(members())
    atoms = as_atoms(STRUCTURE)
    atoms.calc = NNPCalculator(committee, "reference")
    wanted = committee.evaluate(STRUCTURE, "reference", stress=True)
    assert atoms.get_potential_energy() == wanted.energy
    assert atoms.calc.results["energy_deviation"] == wanted.energy_deviation
    deviation = atoms.calc.get_property("forces_deviation", atoms)
    np.testing.assert_array_equal(deviation, wanted.forces_deviation)
    found = atoms.calc.get_property("stress_deviation", atoms)
    np.testing.assert_allclose(found, wanted.stress_deviation)
    single = NNPCalculator(committee.mean(), "reference")
    assert "energy_deviation" not in single.implemented_properties


@pytest.mark.parametrize("route", ["native", "python"])
def test_openmm_runs_the_mean(route):
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_force
    from nnp.openmm._plugin import why_unavailable

    if route == "native" and why_unavailable() is not None:
        pytest.skip(f"no plugin: {why_unavailable()}")
    committee = Committee.of(members())
    system = openmm.System()
    for _ in range(len(STRUCTURE)):
        system.addParticle(1.0)
    alone = replace(STRUCTURE, pbc=False)
    system.addForce(create_force(committee, as_atoms(alone), route=route))
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(1e-3), platform)
    context.setPositions(0.1 * STRUCTURE.positions)
    energy = context.getState(getEnergy=True).getPotentialEnergy()._value
    wanted = committee.evaluate(alone, "reference").energy
    assert energy * KJ_PER_MOL == pytest.approx(wanted, rel=1e-7)


def test_ranking_and_choice():
    frames = [random_structure(ELEMENTS, 6, seed) for seed in range(6)]
    committee = Committee.of(members())
    ranked = rank(committee, frames, "reference")
    deviations = []
    for frame in frames:
        forces = np.array([m.evaluate(frame, "reference").forces for m in committee.members])
        spread = ((forces - forces.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)
        deviations.append(np.sqrt(spread).max())
    assert [c.index for c in ranked] == np.argsort(deviations)[::-1].tolist()
    assert ranked[0].force_deviation == pytest.approx(max(deviations))


def test_choice_keeps_its_distance():
    ranked = [Candidate(i, d, 0.0, 0.0) for i, d in ((5, 0.9), (4, 0.8), (1, 0.7), (9, 0.1))]
    assert [c.index for c in choose(ranked, 2)] == [5, 4]
    assert [c.index for c in choose(ranked, 9, apart=2)] == [5, 1, 9]
    assert [c.index for c in choose(ranked, 9, apart=2, least=0.5)] == [5, 1]
    assert [c.index for c in choose(ranked, 9, most=0.85)] == [4, 1, 9]
    with pytest.raises(OptionError, match="count = 0"):
        choose(ranked, 0)


@pytest.fixture
def files(tmp_path):
    Committee.of(members(count=2)).save(tmp_path / "committee.nnp")
    frames = [as_atoms(random_structure(ELEMENTS, 5, seed)) for seed in range(4)]
    ase.io.write(tmp_path / "frames.extxyz", frames)
    return tmp_path


def test_select_command(files, capsys):
    output = files / "selected.extxyz"
    words = [str(files / "committee.nnp"), str(files / "frames.extxyz"), "--count", "2"]
    assert main(["select", *words, "--output", str(output)]) == 0
    assert "2 of 4 structures" in capsys.readouterr().out
    assert len(ase.io.read(output, ":")) == 2
    members(count=1)[0].save(files / "one.nnp")
    assert main(["select", str(files / "one.nnp"), *words[1:]]) == 1
    assert "single potential" in capsys.readouterr().err


def test_select_looks_at_the_output_before_it_ranks(files, capsys, monkeypatch):
    monkeypatch.setattr("nnp.cli.select.rank", None)
    words = ["select", str(files / "committee.nnp"), str(files / "frames.extxyz"), "--output"]
    assert main([*words, str(files / "frames.extxyz")]) == 1
    assert "exists" in capsys.readouterr().err
    assert main([*words, str(files / "none" / "selected.extxyz")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_select_reads_and_writes_input_data_in_the_units_of_the_potential(files):
    committee = nnp.load(files / "committee.nnp")
    frames = ase.io.read(files / "frames.extxyz", ":")
    source, output = files / "input.data", files / "selected.data"
    for units in (METAL, ATOMIC):
        write_structures(frames, source, units, force=True)
        Committee.of([replace(m, units=units) for m in committee.members]).save(
            files / "committee.nnp", force=True
        )
        words = [str(files / "committee.nnp"), str(source), "--count", "4", "--output", str(output)]
        assert main(["select", *words, "--force"]) == 0
        selected = read_structures(output, units)
        wanted = rank(committee, frames)
        for atoms, candidate in zip(selected, wanted, strict=True):
            np.testing.assert_allclose(atoms.positions, frames[candidate.index].positions)


def test_predict_and_info_commands(files, capsys):
    output = files / "predicted.extxyz"
    words = [str(files / "committee.nnp"), str(files / "frames.extxyz")]
    assert main(["predict", *words, "--output", str(output)]) == 0
    assert "the members disagree most in structure" in capsys.readouterr().out
    committee = nnp.load(files / "committee.nnp")
    for atoms in ase.io.read(output, ":"):
        wanted = committee.evaluate(atoms)
        assert atoms.info["energy_deviation"] == pytest.approx(wanted.energy_deviation, rel=1e-6)
        found = atoms.arrays["forces_deviation"]
        np.testing.assert_allclose(found, wanted.forces_deviation, atol=1e-6)
    assert main(["info", str(files / "committee.nnp")]) == 0
    out = capsys.readouterr().out
    assert "committee   of 2" in out
    assert "member 1" in out
