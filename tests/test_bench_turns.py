"""Subjects of the benchmark take turns; what fails or takes too long is left out."""

from __future__ import annotations

from pathlib import Path

import ase.build
import ase.io
import pytest

pytest.importorskip("openmm", reason="OpenMM is not installed")

from beside_lammps.comparison import Plan, compare
from beside_lammps.sizes import of_size
from beside_lammps.subjects import LammpsSubject, OpenMMSubject
from lammps_stand_in import stand_in
from pair_potential import pair_potential

from nnp.bench.lammps_script import Conditions
from nnp.bench.measurement import from_times
from nnp.errors import NNPError, UnavailableError
from nnp.structure import as_structure
from nnp.testing import random_potential

NOW = Conditions()


@pytest.fixture
def fake(tmp_path):
    """Folder with an executable ``lmp``, and where it leaves what it was given."""
    return stand_in(tmp_path)


class Counting:
    """A subject that notes its calls and takes a second per step."""

    def __init__(self, name, calls, failure=None, at=10**9):
        self.name, self.calls, self.failure, self.at = name, calls, failure, at
        self.details = {"timestep_fs": 2.0}

    def prepare(self, structure):
        self.atoms = len(structure)

    def block(self, warm_up, steps):
        self.calls.append((self.name, self.atoms, warm_up, steps))
        if len(self.calls) > self.at:
            raise self.failure
        return 0.01, 0.02


def sizes(*numbers):
    return [of_size(as_structure(ase.build.bulk("Si", cubic=True)), n) for n in numbers]


def test_subjects_take_turns():
    calls, told = [], []
    subjects = [Counting("a", calls), Counting("b", calls)]
    small, large = compare(subjects, sizes(64, 8), Plan(NOW, 2, 1.0), told.append)
    assert told == []
    assert calls[:6] == [
        *[(name, 8, 5, 10) for name in "ab"],  # pilots
        *[(name, 8, 10, 100) for name in "abab"],
    ]
    assert [call[:2] for call in calls[6:]] == [("a", 64), ("b", 64)] * 2
    assert calls[6][3] == 12  # a hundredth of a second for 8 atoms, so eight for 64
    (first, _), (again, _) = small, large
    assert (first.subject, first.n_atoms, first.steps, again.n_atoms) == ("a", 8, 2, 64)
    assert first.rate == pytest.approx(800)
    assert first.ns_per_day == pytest.approx(86400 / 0.01 * 2e-6)
    assert first.details["processor_seconds"] == [0.02, 0.02]


@pytest.mark.parametrize(("kind", "rows"), [(UnavailableError, 0), (NNPError, 1)])
def test_what_fails_is_left_out(kind, rows):
    calls, told = [], []
    bad = Counting("bad", [0] * 9, kind("it is broken"), at=9)
    good = Counting("good", calls)
    found = list(compare([bad, good], sizes(8, 16), Plan(NOW, 1, 0.1), told.append))
    assert [[m.subject for m in size] for size in found] == [["good"], ["good"]]
    assert told[0] == "bad, 8 atoms: not measured, it is broken"
    assert len(told) == 1 + rows  # one that is not there is not tried again


def test_blocks_that_would_take_too_long_are_not_run():
    calls, told = [], []
    plan = Plan(NOW, 1, 0.1, time_limit=1.0)
    found = list(compare([Counting("a", calls)], sizes(8, 512), plan, told.append))
    assert [len(size) for size in found] == [1, 0]
    assert "512 atoms: not measured, 5 steps would take about 6 s; take fewer atoms" in told[0]


def test_interrupted_turns_keep_what_was_measured():
    calls = []
    subjects = [Counting("a", calls, KeyboardInterrupt, 4), Counting("b", calls)]
    measured = compare(subjects, sizes(8), Plan(NOW, 5, 0.1), print)
    assert [m.subject for m in next(measured)] == ["a", "b"]
    with pytest.raises(KeyboardInterrupt):
        next(measured)


def test_styles_without_a_variant_are_not_measured_twice(fake):
    potential = pair_potential()
    for style, message in (("hdnnp", "has no omp variant of it"), ("sw", None)):
        subject = LammpsSubject(style, str(fake), style, "omp", 2, potential, Path("x"), NOW)
        subject.prepare(*sizes(8))
        if message:
            with pytest.raises(UnavailableError, match=message):
                subject.block(5, 10)
        else:
            assert subject.block(5, 10) == (0.25, 0.125)
            assert subject.details["style"] == "sw/omp"
            assert subject.details["command"] == "lmp"


@pytest.mark.parametrize("route", ["native", "python"])
def test_openmm_subject(route):
    from plugin_systems import need_plugin

    if route == "native":
        need_plugin()
    potential = random_potential(("Si",), 1, ("radial",))
    options = {"platform": "CPU", "route": route, "threads": 1}
    subject = OpenMMSubject("x", potential, NOW, options)
    subject.prepare(*sizes(8))
    wall, processor = subject.block(2, 5)
    assert wall > 0
    assert processor > 0
    assert subject.details["timestep_fs"] == 1.0
    wrong = OpenMMSubject("x", potential, NOW, options | {"platform": "Abacus"})
    with pytest.raises(UnavailableError, match="'Abacus' is not available"):
        wrong.prepare(*sizes(8))


def test_lines_of_the_table():
    from beside_lammps.tables import row

    details = {"block_steps": 7, "threads": 2, "timestep_fs": 1.0}
    details["processor_seconds"] = [0.5, 0.4, 0.6]
    times = [0.1, 0.2, 0.3]
    line = row(from_times("x", 1000, times, details))
    assert line == ("x", "1000", "2", "7", "200000", "150000-250000", "5", "0.432", "2.5")
    assert row(from_times("x", 1000, times, details | {"device": True}))[-1] == ""
