"""Radial distribution functions: ideal gas, crystal, ASE's own; time averages."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry.rdf import get_rdf

from nnp.errors import OptionError, StructureError
from nnp.metrics import ErrorStatistics, PredictionErrors, block_average
from nnp.rdf import radial_distribution


def gas(seed, n=400):
    rng = np.random.default_rng(seed)
    cell = np.array([[14, 0, 0], [3, 15, 0], [-2, 4, 16]])
    return Atoms(f"Ar{n}", scaled_positions=rng.random((n, 3)), cell=cell, pbc=True)


def test_an_ideal_gas_is_flat():
    found = radial_distribution([gas(seed) for seed in range(20)], r_max=9.0, bins=30)
    np.testing.assert_allclose(found.g[8:], 1.0, atol=0.05)
    # the scatter is what the blocks say it is: no more than three standard errors at nine in ten
    outside = np.abs(found.g[8:] - 1) > 3 * found.error[8:]
    assert outside.mean() < 0.1
    assert found.frames == 20


def test_a_crystal_has_its_shells():
    atoms = bulk("Si", cubic=True)  # smaller than r_max: images count
    found = radial_distribution([atoms], r_max=5.0, bins=500)
    shell = 4 * np.pi * found.r**2 * (found.r[1] - found.r[0]) * len(atoms) / atoms.get_volume()
    counts = np.add.reduceat(found.g * shell, [0, 300, 420])
    np.testing.assert_allclose(counts, [4, 12, 12], rtol=1e-3)
    assert np.isnan(found.error).all()


def test_ase_agrees():
    atoms = gas(3)
    found = radial_distribution([atoms], r_max=6.0, bins=60)
    wanted, distances = get_rdf(atoms, 6.0, 60)
    np.testing.assert_allclose(found.r, distances, atol=0.051)
    np.testing.assert_allclose(found.g[5:], wanted[5:], rtol=0.02)  # ASE takes shells as thin


def test_refusals():
    with pytest.raises(StructureError, match="there are no frames"):
        radial_distribution([])
    with pytest.raises(OptionError, match="r_max=0 and bins=10 must be positive"):
        radial_distribution([gas(1)], 0, 10)
    with pytest.raises(StructureError, match="pbc along all three axes"):
        radial_distribution([Atoms("Ar2", [(0, 0, 0), (0, 0, 3)])])


def test_block_average_sees_correlation():
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(2000, 50))
    slow = np.repeat(noise[:200], 10, axis=0)  # the same spread, ten times fewer values
    mean, error = block_average(noise, 10)
    _, slow_error = block_average(slow, 10)
    np.testing.assert_allclose(mean, noise.mean(axis=0))
    assert np.mean(error) == pytest.approx(1 / np.sqrt(2000), rel=0.1)
    assert np.mean(slow_error) == pytest.approx(1 / np.sqrt(200), rel=0.1)
    assert np.isnan(block_average([1.0, 2.0], 5)[1])


def test_error_statistics_add_up():
    rng = np.random.default_rng(2)
    differences = rng.normal(0.3, 1.0, 100)
    statistics = ErrorStatistics()
    for part in np.array_split(differences, 7):
        statistics.add(part)
    assert statistics.count == 100
    assert statistics.mean == pytest.approx(differences.mean())
    assert statistics.mae == pytest.approx(np.abs(differences).mean())
    assert statistics.rmse == pytest.approx(np.sqrt(np.mean(differences**2)))
    assert statistics.largest == np.abs(differences).max()
    assert np.isnan(ErrorStatistics().rmse)
    assert PredictionErrors().lines() == []


def test_a_long_run_is_drawn_from_a_few_frames_of_its_second_half(tmp_path, monkeypatch):
    from ase.build import bulk
    from ase.io import write

    pictures = pytest.importorskip("nnp.pictures.run")
    monkeypatch.setattr(pictures, "_FRAMES", 3)
    frames = [bulk("Si", cubic=True) for _ in range(21)]
    for frame in frames[:10]:  # not seen
        frame.set_cell(frame.cell.array * 1.5, scale_atoms=True)
    write(tmp_path / "a.extxyz", frames)
    found = pictures.second_half(tmp_path / "a.extxyz")
    assert found.frames == 3
    assert found.r[found.g.argmax()] == pytest.approx(3.84, abs=0.04)  # the second shell
