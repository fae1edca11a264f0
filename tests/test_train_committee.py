"""Committees: mean and deviation, the mean as one potential, selection."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import Atoms

from nnp.cli import main
from nnp.errors import FileFormatError, OptionError
from nnp.networks import Activation, Network
from nnp.testing import random_potential, random_structure
from nnp.train.committee import Committee
from nnp.train.select import Candidate, choose, rank

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


STRUCTURE = random_structure(ELEMENTS, 7, seed=4)


def test_mean_and_deviation():
    own = members()
    found = Committee(own).evaluate(STRUCTURE, "reference")
    single = [m.evaluate(STRUCTURE, "reference") for m in own]
    assert found.energy == pytest.approx(np.mean([s.energy for s in single]))
    assert found.energy_deviation == pytest.approx(np.std([s.energy for s in single]))
    forces = np.array([s.forces for s in single])
    np.testing.assert_allclose(found.forces, forces.mean(axis=0))
    wanted = np.sqrt(forces.var(axis=0).sum(axis=1))
    np.testing.assert_allclose(found.force_deviations, wanted)
    assert found.force_deviations.min() > 0
    worst = max(abs(s.extrapolations.worst.relative) for s in single)
    assert found.extrapolation == worst


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_mean_is_one_potential(depth):
    committee = Committee(members(activations=(Activation.TANH,) * depth))
    mean = committee.mean_potential()
    wanted = committee.evaluate(STRUCTURE, "reference")
    found = mean.evaluate(STRUCTURE, "reference")
    assert found.energy == pytest.approx(wanted.energy, rel=1e-12)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-12)


def test_members_that_do_not_fit():
    own = members()
    with pytest.raises(OptionError, match="committee of 1 potentials"):
        Committee(own[:1])
    with pytest.raises(OptionError, match="two or more for the same elements"):
        Committee([own[0], random_potential(("Si",))])
    other = random_potential(ELEMENTS, seed=9)
    with pytest.raises(OptionError, match="members differ in functions"):
        Committee([own[0], other]).mean_potential()


def test_ranking_and_choice():
    frames = [random_structure(ELEMENTS, 6, seed) for seed in range(6)]
    committee = Committee(members())
    ranked = rank(committee, frames, "reference")
    deviations = [committee.evaluate(f, "reference").force_deviations.max() for f in frames]
    assert [c.index for c in ranked] == np.argsort(deviations)[::-1].tolist()
    assert ranked[0].force_deviation == max(deviations)


def test_choice_keeps_its_distance():
    ranked = [Candidate(i, d, 0.0, 0.0) for i, d in ((5, 0.9), (4, 0.8), (1, 0.7), (9, 0.1))]
    assert [c.index for c in choose(ranked, 2)] == [5, 4]
    assert [c.index for c in choose(ranked, 9, apart=2)] == [5, 1, 9]
    assert [c.index for c in choose(ranked, 9, apart=2, least=0.5)] == [5, 1]
    assert [c.index for c in choose(ranked, 9, most=0.85)] == [4, 1, 9]
    with pytest.raises(OptionError, match="count = 0"):
        choose(ranked, 0)


def test_command(tmp_path, capsys):
    for number, member in enumerate(members(count=2)):
        (tmp_path / f"member_{number}").mkdir()
        member.save(tmp_path / f"member_{number}" / "best.nnp")
    frames = []
    for seed in range(4):
        s = random_structure(ELEMENTS, 5, seed)
        frames.append(Atoms(s.symbols, s.positions, cell=s.cell, pbc=True))
    ase.io.write(tmp_path / "frames.extxyz", frames)
    output = tmp_path / "selected.extxyz"
    words = [str(tmp_path), str(tmp_path / "frames.extxyz"), "--count", "2"]
    assert main(["select", *words, "--output", str(output)]) == 0
    assert "2 of 4 structures" in capsys.readouterr().out
    assert len(ase.io.read(output, ":")) == 2
    with pytest.raises(FileFormatError, match="holds 0 of member_"):
        Committee.load(tmp_path / "member_0")
