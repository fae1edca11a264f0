"""The cost model: what it counts, what it chooses, what the command prints. No time is tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from cpu_targets import engine_of
from runs import nnp
from wide_potentials import wide_potential

import nnp as package
from nnp.engines.cost import PARTS
from nnp.engines.cpu import PRECISIONS, TARGETS, CpuEngine
from nnp.structure import as_structure
from nnp.testing import random_potential, random_structure

LANES = {"baseline": 2, "avx2": 4, "avx512": 8}  # of float64


def silicon(a, times=3):
    return as_structure(bulk("Si", "diamond", a, cubic=True) * (times, times, times))


def engine(potential, **options):
    return CpuEngine(potential, threads=1, **options)


def test_counts_are_those_of_the_kernels():
    """In a crystal all atoms are alike, so the triples that the kernels made tell an atom's."""
    potential = wide_potential(radius=4.5, weighted=False, zetas=(2,))
    made, per_vector = engine(potential, wide="pairs"), []
    for a in (5.2, 5.43, 6.0):
        crystal = silicon(a)
        (cost,) = made.cost(crystal)
        made.compute(crystal)
        counters = made.statistics
        assert cost.n_atoms == len(crystal)
        assert cost.counts["entry"] == pytest.approx(counters["list_entries"] / len(crystal))
        assert cost.counts["function"] == pytest.approx(len(potential.models[0].functions))
        assert cost.neighbors == pytest.approx(len(crystal_distances(a, potential.cutoff)))
        triples = counters["triples"] / len(crystal)
        vectors = np.ceil(triples / LANES[made.target])
        per_vector.append(cost.counts["triple"] / vectors)
    assert per_vector == pytest.approx([per_vector[0]] * 3)


def crystal_distances(a, cutoff):
    crystal = bulk("Si", "diamond", a, cubic=True) * (5, 5, 5)
    centre = len(crystal) // 2
    r = crystal.get_distances(centre, range(len(crystal)), mic=True)
    return r[(r > 0.1) & (r < cutoff)]


def test_expected_neighbors_follow_the_ranges():
    """Ranges say how dense the training data was; a structure as dense has as many neighbours."""
    for elements in (("Si",), ("H", "O")):
        potential = wide_potential(elements, radius=5.0)  # ranges of a random structure, 0.05 / Å³
        structure = random_structure(list(elements), 60, 4)
        made = engine(potential)
        for guess, known in zip(made.cost(), made.cost(structure), strict=True):
            assert guess.neighbors == pytest.approx(known.neighbors, rel=0.3)
            assert guess.n_atoms == 0


def test_choice_is_by_cost():
    """Many neighbours and low zeta by moments, few neighbours or high zeta by pairs."""
    many = wide_potential(radius=7.0, zetas=(1, 2, 20), weighted=False)
    (cost,) = engine(many).cost()
    assert (cost.n_wide, cost.n_by_moments) == (12, 8)  # all but zeta = 20
    few = wide_potential(radius=3.0, zetas=(8,), weighted=False)
    (cost,) = engine(few).cost()
    assert (cost.n_wide, cost.n_by_moments) == (4, 0)
    for way, wanted in (("pairs", 0), ("moments", 12)):
        (cost,) = engine(many, wide=way).cost()
        assert cost.n_by_moments == wanted
    # the choice is the cheaper one of its own prices
    totals = [engine(many, wide=way).cost()[0].total for way in ("auto", "pairs", "moments")]
    assert totals[0] <= min(totals[1:])


def test_what_cancels_stays_with_pairs_in_float32():
    """Functions that trained structures hardly see, as at the angle of a molecule."""
    potential = wide_potential(radius=7.0, zetas=(1, 2), weighted=False)
    (model,) = potential.models
    share = np.array([1e-3 if f.name == "angular" else 1.0 for f in model.functions])
    ends = {name: share * getattr(model.scaling, name) for name in ("minimum", "maximum")}
    scaling = replace(model.scaling, **ends)
    unseen = package.Potential((replace(model, scaling=scaling),))
    for given, wanted in ((potential, 8), (unseen, 0)):
        chosen = [engine(given, dtype=d).cost()[0].n_by_moments for d in PRECISIONS]
        assert chosen == [8, wanted]


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "auto"])
def test_every_part_has_a_price(target):
    potential = random_potential(("H", "O"), seed=1)
    structure = random_structure(["H", "O"], 30, 1)
    for dtype in PRECISIONS:
        for cost in engine_of(potential, target, dtype=dtype).cost(structure):
            assert sum(cost.parts.values()) == pytest.approx(cost.total)
            for part in set(PARTS) - {"moments"}:
                assert cost.parts[part] > 0


def test_command_prints_parts_and_measures(tmp_path, capsys):
    wide_potential(("H", "O")).save(tmp_path / "m.nnp")
    box = random_structure(["H", "O"], 30, 1)
    Atoms(box.symbols, box.positions, cell=box.cell, pbc=True).write(tmp_path / "box.extxyz")
    assert nnp("info", tmp_path / "m.nnp", "--cost") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["dtype", "element", "neighbors"]
    assert [line.split()[:2] for line in lines[2:6]] == [[d, e] for d in PRECISIONS for e in "HO"]
    assert "wide functions" in lines[-1]
    assert nnp("info", tmp_path / "m.nnp", "--cost", tmp_path / "box.extxyz", "--measure") == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if "predicted" in line and "dtype" in line).split()
    assert header[-2:] == ["predicted", "measured"]
    totals = [line.split() for line in lines if " all " in line]
    assert [row[:3] for row in totals] == [[d, "all", "30"] for d in PRECISIONS]
    assert all(float(value) > 0 for row in totals for value in row[-2:])
    assert nnp("info", tmp_path / "m.nnp", "--measure") == 1
    assert "--cost STRUCTURE --measure" in capsys.readouterr().err
