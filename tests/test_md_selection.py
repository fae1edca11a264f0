"""Structures of a run that are worth a label, and runs that stop where a committee disagrees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from pair_potential import pair_potential
from runs import crystal, moving_crystal
from runs import nnp as command

import nnp
from nnp.errors import NumericalError, OptionError
from nnp.io.structures import labels_of
from nnp.md import MDSettings, Outputs, Runner, read_log, run
from nnp.openmm import create_system

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")


@pytest.fixture(scope="module")
def committee():
    """Two whose forces differ by a fifth."""
    first = pair_potential()
    return nnp.Committee.of([first, replace(first, energy_scale=1.2 * first.energy_scale)])


def settings(**changes):
    known = {"ensemble": "nve", "steps": 60, "timestep": 2.0, "log_interval": 20}
    known |= {"frame_interval": 5, "restart_interval": 10, "max_extrapolations": 32}
    return MDSettings(**known | changes)


def spreads(committee, frames):
    return [np.linalg.norm(committee.evaluate(f).forces_deviation, axis=1).max() for f in frames]


def test_what_is_beyond_the_limit_is_written(tmp_path, committee):
    atoms = moving_crystal(900)
    outputs = Outputs.named(tmp_path / "r")
    plain = settings(select_interval=5, select_above=1e3)
    run(committee, atoms, plain, outputs)
    frames = read(tmp_path / "r.extxyz", ":")
    every = np.array(spreads(committee, frames))
    limit = float(np.median(every))
    outputs = Outputs.named(tmp_path / "s")
    outcome = run(committee, atoms, settings(select_interval=5, select_above=limit), outputs)
    found = read(tmp_path / "s.selected.extxyz", ":")
    outside = [bool(committee.evaluate(frame).extrapolations.n_atoms) for frame in frames]
    wanted = [f for f, s, out in zip(frames, every, outside, strict=True) if s > limit or out]
    assert outcome.selected == len(found) == len(wanted) > 3
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.positions, other.positions, atol=1e-7)
        assert one.info["step"] == other.info["step"]
        assert one.calc is None
        assert "forces" not in labels_of(one).results()
    reasons = [atoms.info["reason"] for atoms in found]
    assert any("eV/Å of atom " in r and f"more than {limit:g}" in r for r in reasons)
    for number, (atoms, reason) in enumerate(zip(found, reasons, strict=True), start=1):
        folder = tmp_path / "s.selected" / f"{number:04d}"
        poscar = read(folder / "POSCAR")
        assert poscar.get_volume() == pytest.approx(atoms.get_volume())
        assert len(poscar) == len(atoms)
        text = (folder / "reason.txt").read_text().strip()
        assert text == reason.replace("; ", "\n")


def test_a_single_potential_selects_by_extrapolation(tmp_path):
    atoms = moving_crystal()
    atoms.positions[7] += (0.9, 0.0, 0.0)
    run(
        pair_potential(),
        atoms,
        settings(select_interval=1, select_most=2),
        Outputs.named(tmp_path / "r"),
    )
    found = read(tmp_path / "r.selected.extxyz", ":")
    assert len(found) == 2
    assert "atoms extrapolate, worst atom 7 (Si), function" in found[0].info["reason"]


def test_nothing_worth_a_label_leaves_no_file(tmp_path):
    run(pair_potential(), crystal(), settings(select_interval=10), Outputs.named(tmp_path / "r"))
    assert not (tmp_path / "r.selected.extxyz").exists()
    assert not (tmp_path / "r.selected").exists()


def test_a_run_stops_on_spread(tmp_path, committee):
    atoms, limit = moving_crystal(900), 0.05
    outputs = Outputs.named(tmp_path / "r")
    chosen = settings(select_interval=5, select_above=limit, stop_on_spread=limit)
    text = r"the committee's forces on atom \d+ \(Si\) spread by .* more than stop_on_spread=0.05"
    with pytest.raises(NumericalError, match=text):
        run(committee, atoms, chosen, outputs)
    assert len(read(tmp_path / "r.selected.extxyz", ":")) == 1
    with pytest.raises(OptionError, match="a single potential cannot disagree"):
        run(pair_potential(), atoms, chosen, Outputs.named(tmp_path / "s"))


def test_a_restart_continues_the_selection(tmp_path, committee):
    """What is behind the restart goes away, folders too."""
    atoms, chosen = moving_crystal(900), settings(select_interval=5, select_above=0.01)
    run(committee, atoms, chosen, Outputs.named(tmp_path / "w"))
    system = create_system(committee, atoms)
    outputs = Outputs.named(tmp_path / "r")
    Runner(system, atoms, replace(chosen, steps=30), outputs, potential=committee).run()
    with outputs.selected.open("ab") as file:
        file.write(b"half a structure")
    (tmp_path / "r.selected" / "0099").mkdir()
    again = create_system(committee, atoms)
    going = Runner(again, atoms, chosen, outputs, "CPU", outputs.restart, potential=committee)
    going.run()
    whole, parts = (read(tmp_path / f"{n}.selected.extxyz", ":") for n in "wr")
    assert [a.info["step"] for a in parts] == [a.info["step"] for a in whole]
    np.testing.assert_allclose(parts[-1].positions, whole[-1].positions, atol=1e-6)
    names = sorted(path.name for path in (tmp_path / "r.selected").iterdir())
    assert names == [f"{n:04d}" for n in range(1, len(whole) + 1)]


def test_killed_between_the_first_structure_and_the_next_restart_file(tmp_path, committee):
    """The restart file knows of no selection; what is there is behind it."""
    atoms, chosen = moving_crystal(900), settings(select_interval=5, select_above=0.01)
    outputs = Outputs.named(tmp_path / "r")
    before = replace(chosen, steps=10, select_above=1e3, max_extrapolations=10**6)
    Runner(create_system(committee, atoms), atoms, before, outputs, potential=committee).run()
    assert not outputs.selected.exists()
    outputs.selected.write_bytes(b"half a structure")
    (tmp_path / "r.selected" / "0001").mkdir(parents=True)
    again = create_system(committee, atoms)
    Runner(again, atoms, chosen, outputs, "CPU", outputs.restart, potential=committee).run()
    steps = [frame.info["step"] for frame in read(outputs.selected, ":")]
    assert steps == list(range(15, 61, 5))


def test_command(tmp_path, monkeypatch, capsys, committee):
    monkeypatch.chdir(tmp_path)
    committee.save("model.nnp")
    moving_crystal(900).write("start.extxyz")
    words = ("--steps", "40", "--select-every", "10", "--select-above", "0.01", "--no-pictures")
    assert command("md", "model.nnp", "start.extxyz", *words) == 0
    assert "selected    md.selected.extxyz (" in capsys.readouterr().out
    assert Path("md.selected/0001/POSCAR").exists()
    assert read_log("md.csv")["force_spread_eV_A"].min() > 0
