"""Energies per element that compositions do not tell: named, said before a fit and at its use."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, settings, write_config

from nnp.cli import main
from nnp.committee import Committee
from nnp.potential import UNDETERMINED
from nnp.structure import Structure
from nnp.train.data.compositions import undetermined
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure
from nnp.train.fit.choosing import choose
from nnp.train.fit.settings import RunSettings
from nnp.train.fit.task import build
from nnp.train.fit.trainer import Trainer

ATOMS = {1: -1.0, 7: -7.0, 8: -9.0}


def of_formulas(*formulas, noise=0.0):
    """Structures of atomic numbers, with the sum of `ATOMS` and noise per atom as energies."""
    rng, frames = np.random.default_rng(0), []
    for numbers in formulas:
        positions = np.zeros((len(numbers), 3))
        positions[:, 0] = 1.5 * np.arange(len(numbers))
        energy = sum(ATOMS[z] for z in numbers) + len(numbers) * noise * rng.normal()
        structure = Structure(positions, np.array(numbers), np.zeros((3, 3)), np.zeros(3, bool))
        frames.append(LabelledStructure(structure, energy))
    return Dataset(tuple(frames))


def test_elements_are_named_that_go_together():
    water = of_formulas([1, 1, 8], [1, 1, 1, 1, 8, 8])
    assert undetermined(water, ("H", "O")) == ("H", "O")
    assert undetermined(water, ("H", "O"), {"H": -1.0}) == ()
    with_nitrogen = of_formulas([1, 1, 8], [1, 1, 8, 7], [7, 7])
    assert undetermined(with_nitrogen, ("H", "N", "O")) == ("H", "O")
    apart = of_formulas([1, 1, 8], [1, 1])
    assert undetermined(apart, ("H", "O")) == ()
    assert undetermined(apart, ("H", "O"), {"H": -1.0, "O": -9.0}) == ()


def test_nearly_equal_ratios_tell_little_where_energies_spread():
    layers = [[1] * 20 + [8] * 10, [1] * 20 + [8] * 9, [1] * 19 + [8] * 10] * 10
    assert undetermined(of_formulas(*layers, noise=1e-3), ("H", "O")) == ()
    assert undetermined(of_formulas(*layers, noise=1.0), ("H", "O")) == ("H", "O")
    far = [[1, 1, 8], [1, 1], [8, 8]] * 10
    assert undetermined(of_formulas(*far, noise=2.0), ("H", "O")) == ()
    assert undetermined(of_formulas([1, 1], [1], noise=9.0), ("H",)) == ()


def test_memory_does_not_grow_with_the_square_of_compositions():
    shapes = [[1] * (1 + n % 50) + [7] * (1 + n // 50) + [8] * 3 for n in range(2000)]
    many = of_formulas(*shapes)
    tracemalloc.start()
    assert undetermined(many, ("H", "N", "O")) == ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # U of all compositions would be 32 MB


def test_nothing_is_said_without_energies():
    bare = Dataset(tuple(replace(frame, energy=None) for frame in of_formulas([1, 1, 8])))
    assert undetermined(bare, ("H", "O")) == ()


def fitted(folder, data, **changes):
    chosen = settings(run=RunSettings(epochs=1, output=str(folder)), **changes)
    task = build(chosen, data, Dataset(()), quiet=True)
    return Trainer(chosen, task, quiet=True).run()


def test_the_potential_says_it(tmp_path, capsys):
    one = dataset(("H", "O"))  # three of each, four times
    result = fitted(tmp_path, one)
    assert result.potential.provenance[UNDETERMINED] == ["H", "O"]
    assert "compositions: they do not determine" in " ".join(map(str, result.findings))
    main(["info", str(tmp_path / "best.nnp")])
    said = capsys.readouterr().out
    assert "energies    of other ratios of H O than in the training data mean nothing" in said
    assert said.count("H O than") == 1
    assert UNDETERMINED not in said
    Committee.of([result.potential, result.last]).save(tmp_path / "two.nnp")
    main(["info", str(tmp_path / "two.nnp")])
    assert "energies    of other ratios of H O" in capsys.readouterr().out


def test_what_a_fit_goes_on_from_hands_it_on(tmp_path):
    fitted(tmp_path, dataset(("H", "O")))
    more = dataset(("H", "O")) + dataset(("H", "O"), n=5)
    run = RunSettings(from_=str(tmp_path / "best.nnp"))
    assert choose(settings(run=run), more, Dataset(()), quiet=True).undetermined == ("H", "O")


def test_nothing_is_said_where_they_are_told(tmp_path, capsys):
    both = dataset(("H", "O")) + dataset(("H", "O"), n=5)
    assert UNDETERMINED not in fitted(tmp_path, both).potential.provenance
    main(["info", str(tmp_path / "best.nnp")])
    assert "mean nothing" not in capsys.readouterr().out


def test_a_file_of_settings_says_it_before_the_fit(tmp_path, capsys):
    config, frames = write_config(tmp_path), []
    for frame in dataset(("H", "O")):
        s = frame.structure
        atoms = Atoms(numbers=s.atomic_numbers, positions=s.positions, cell=s.cell, pbc=s.pbc)
        atoms.calc = SinglePointCalculator(atoms, energy=frame.energy, forces=frame.forces)
        frames.append(atoms)
    ase.io.write(tmp_path / "data.extxyz", frames)
    assert main(["train", str(config), "--dry-run"]) == 0
    assert "data: compositions: they do not determine" in capsys.readouterr().out
