"""Trajectories in every format: other programs open them, restarts continue them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.io import read
from pair_potential import pair_potential
from runs import crystal, moving_crystal, nnp, write_inputs
from test_md_stops import limit_files

from nnp.errors import NNPError, OptionError, UnavailableError
from nnp.io import transaction
from nnp.md import FrameFile, MDSettings, Outputs, Runner
from nnp.openmm import create_system

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    MDAnalysis = pytest.importorskip("MDAnalysis")

# Where the OpenMM plugin is not built, the route "auto" says so and takes another. MDAnalysis
# warns of what its own readers lack.
pytestmark = [
    pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:MDAnalysis"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:MDAnalysis"),
]

SETTINGS = MDSettings(
    ensemble="nve", steps=40, timestep=2.0, log_interval=10, frame_interval=10, restart_interval=10
)
SUFFIXES = ("extxyz", "traj", "dcd", "xtc", "pdb", "h5md")


def make(folder, steps=40, restart=None, words=()):
    files = [FrameFile(folder / f"r.{suffix}") for suffix in SUFFIXES]
    files += [FrameFile.parse([str(folder / "often.xtc"), "every=5"])]
    files += [FrameFile.parse([str(folder / "in.extxyz"), "wrapped", *words])]
    outputs = Outputs.named(folder / "r", trajectory=files)
    settings = MDSettings(**(vars(SETTINGS) | {"steps": steps}))
    atoms = moving_crystal()
    atoms.positions[:16] -= 2 * atoms.cell[0]
    system = create_system(pair_potential(), atoms)
    return Runner(system, atoms, settings, outputs, "CPU", restart)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    make(folder).run()
    return folder


def positions(folder, name):
    """(frames, n, 3) Å, by ASE where the format has elements, else by MDAnalysis."""
    if name.endswith(("extxyz", "traj")):
        return np.array([atoms.positions for atoms in read(folder / name, ":")])
    universe = MDAnalysis.Universe(str(folder / "r.topology.pdb"), str(folder / name))
    return np.array([step.positions.copy() for step in universe.trajectory])


@pytest.mark.parametrize("name", ["r.traj", "r.dcd", "r.xtc", "r.pdb", "r.h5md"])
def test_all_formats_hold_the_same_places(whole, name):
    wanted = positions(whole, "r.extxyz")
    assert len(wanted) == 5
    atol = {"r.traj": 1e-8, "r.dcd": 1e-5, "r.xtc": 6e-3, "r.pdb": 6e-4, "r.h5md": 1e-5}[name]
    np.testing.assert_allclose(positions(whole, name), wanted, atol=atol)


def test_mdanalysis_sees_times_cells_and_elements(whole):
    cell = moving_crystal().cell.cellpar()
    for name in ("r.dcd", "r.xtc", "r.h5md"):
        universe = MDAnalysis.Universe(str(whole / "r.topology.pdb"), str(whole / name))
        times = [step.time for step in universe.trajectory]
        np.testing.assert_allclose(np.diff(times), 0.02, rtol=1e-3)
        np.testing.assert_allclose(universe.dimensions, cell, rtol=1e-4)
    assert set(universe.atoms.elements) == {"Si"}


def test_h5md_holds_velocities_forces_and_energy_in_units_of_its_own(whole):
    h5py = pytest.importorskip("h5py")
    wanted = read(whole / "r.extxyz", ":")
    universe = MDAnalysis.Universe(str(whole / "r.topology.pdb"), str(whole / "r.h5md"))
    for step, atoms in zip(universe.trajectory, wanted, strict=True):  # Å/ps, kJ/mol/Å
        velocities = atoms.get_velocities() * units.fs * 1000
        np.testing.assert_allclose(step.velocities, velocities, atol=1e-4)
        forces = atoms.get_forces() * units.mol / units.kJ
        np.testing.assert_allclose(step.forces, forces, atol=1e-3)
    with h5py.File(whole / "r.h5md") as h5:
        energies = h5["observables/trajectory/potential_energy/value"][:] * units.kJ / units.mol
        assert h5["particles/trajectory/species"][0] == 14
        assert h5["particles/trajectory/mass"][0] == pytest.approx(28.085, abs=1e-3)
        assert h5["particles/trajectory/position/step"][:].tolist() == [0, 10, 20, 30, 40]
    np.testing.assert_allclose(energies, [a.get_potential_energy() for a in wanted], rtol=1e-7)


@pytest.mark.parametrize("name", ["r.dcd", "r.xtc", "r.pdb"])
def test_mdtraj_opens_them(whole, name):
    mdtraj = pytest.importorskip("mdtraj")
    top = {} if name.endswith("pdb") else {"top": str(whole / "r.topology.pdb")}
    found = mdtraj.load(str(whole / name), **top)
    wanted = positions(whole, "r.extxyz") / 10
    np.testing.assert_allclose(found.xyz, wanted, atol=1e-3)
    lengths = moving_crystal().cell.lengths() / 10
    np.testing.assert_allclose(found.unitcell_lengths[-1], lengths, rtol=1e-4)
    assert {atom.element.symbol for atom in found.topology.atoms} == {"Si"}
    if name.endswith("xtc"):  # MDTraj counts a DCD's frames
        np.testing.assert_allclose(np.diff(found.time), 0.02, rtol=1e-3)


def test_each_has_its_own_interval(whole):
    assert len(positions(whole, "often.xtc")) == 9


def test_wrapped_or_where_they_went(whole):
    wrapped, free = read(whole / "in.extxyz", ":"), read(whole / "r.extxyz", ":")
    shares = np.array([atoms.get_scaled_positions(wrap=False) for atoms in wrapped])
    assert ((shares > -1e-8) & (shares < 1 + 1e-8)).all()
    assert free[-1].get_scaled_positions(wrap=False).min() < -1.5
    for one, other in zip(wrapped, free, strict=True):
        apart = (one.positions - other.positions) @ np.linalg.inv(other.cell)
        np.testing.assert_allclose(apart, np.rint(apart), atol=1e-6)


def test_forces_and_velocities_on_request(tmp_path):
    make(tmp_path, steps=0, words=("no-forces", "no-velocities")).run()
    with_all, without = read(tmp_path / "r.traj"), read(tmp_path / "in.extxyz")
    wanted = pair_potential().evaluate(with_all).forces
    np.testing.assert_allclose(with_all.get_forces(), wanted, atol=1e-6)
    assert np.abs(with_all.get_velocities()).max() > 1e-4 / units.fs
    assert without.calc is None
    assert "momenta" not in without.arrays


def test_restarts_continue_all_of_them(tmp_path, whole):
    """Frames behind the restart, and half ones, are cut away."""
    make(tmp_path, steps=20).run()
    for suffix in SUFFIXES:
        with (tmp_path / f"r.{suffix}").open("ab") as file:
            file.write(b"half a frame" if suffix not in ("traj", "h5md") else b"")
    make(tmp_path, restart=tmp_path / "r.restart").run()
    for name in (*(f"r.{suffix}" for suffix in SUFFIXES), "often.xtc", "in.extxyz"):
        one, other = positions(whole, name), positions(tmp_path, name)
        atol = 1.1e-2 if name.endswith("xtc") else 1.1e-3
        np.testing.assert_allclose(one, other, atol=atol)


def test_a_frame_of_ase_is_there_before_the_next_step(tmp_path):
    """What a killed run leaves: the writer is still open."""
    runner = make(tmp_path, steps=10)
    seen = []
    runner.run(begun=lambda: None)
    from nnp.md.trajectory_ase import ASETrajectory

    writer = ASETrajectory(FrameFile(tmp_path / "k.traj"), runner._start, None)
    for count in (1, 2, 3):
        writer.write(runner._good)
        seen.append(len(read(tmp_path / "k.traj", ":")))
        assert seen[-1] == count == writer.mark[1]
    writer.close()


def test_another_runs_trajectory_is_refused(tmp_path):
    make(tmp_path, steps=20).run()
    for name in ("r.traj", "r.pdb"):
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(NNPError, match=rf"{name}"):
            make(tmp_path, restart=tmp_path / "r.restart").run()
        (tmp_path / name).write_bytes(kept)


def test_options_of_a_trajectory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    words = ("md", "model.nnp", "start.extxyz", "--steps", "20", "--no-pictures")
    many = ("--trajectory", "a.xtc", "every=5", "--trajectory", "b.extxyz", "wrapped")
    assert nnp(*words, *many) == 0
    out = capsys.readouterr().out
    assert "trajectory  a.xtc" in out
    assert "topology    md.topology.pdb" in out
    assert Path("b.extxyz").exists()
    assert nnp(*words, "--force", "--trajectory", "a.xtc", "often") == 1
    assert "trajectory a.xtc: 'often' is unknown: allowed: every=STEPS" in capsys.readouterr().err
    with pytest.raises(OptionError, match="every=0: a whole number from 1"):
        FrameFile(Path("a.xtc"), every=0)


def test_coordinates_stay_unwrapped_under_a_barostat(tmp_path):
    """Atoms that left the cell stay where they went when the box changes."""
    settings = MDSettings(
        ensemble="npt", steps=100, timestep=2.0, barostat_interval=5, frame_interval=5
    )
    atoms = crystal()
    atoms.positions[3] += 3 * atoms.cell[0]
    system = create_system(pair_potential(), atoms)
    Runner(system, atoms, settings, Outputs.named(tmp_path / "r")).run()
    frames = read(tmp_path / "r.extxyz", ":")
    shares = np.array([a.get_scaled_positions(wrap=False)[3] for a in frames])
    assert np.abs(np.diff(shares, axis=0)).max() < 0.1
    assert shares[-1, 0] > 2.5


@pytest.mark.parametrize(
    ("suffix", "size"),
    [("xtc", 30_000), ("traj", 60_000), ("pdb", 60_000), ("h5md", 450_000)],
)
def test_disk_that_fills_up(tmp_path, suffix, size):
    """Whole frames stay, and the message names the file."""
    path = tmp_path / f"r.{suffix}"
    outputs = Outputs.named(tmp_path / "r", trajectory=path)
    settings = MDSettings(steps=400, frame_interval=1, restart_interval=1000)
    runner = Runner(create_system(pair_potential(), crystal()), crystal(), settings, outputs)
    with limit_files(size), pytest.raises(NNPError, match=rf"cannot write .*r\.{suffix}: "):
        runner.run()
    last = read(tmp_path / "r.last-good.extxyz").info["step"]
    by_ase = suffix in ("traj", "pdb")
    found = len(read(path, ":")) if by_ase else len(positions(tmp_path, path.name))
    assert 3 < found <= last + 1
    assert path.stat().st_size <= size


def test_few_atoms_in_an_xtc(tmp_path):
    """Up to nine are not compressed; more are, in other sizes each time."""
    for count in (1, 3, 9, 10, 11):
        atoms = (crystal(1) * (1, 1, 3))[:count]
        outputs = Outputs.named(tmp_path / f"{count}", trajectory=tmp_path / f"{count}.xtc")
        settings = MDSettings(steps=6, frame_interval=2)
        Runner(create_system(pair_potential(), atoms), atoms, settings, outputs).run()
        top = str(tmp_path / f"{count}.topology.pdb")
        assert MDAnalysis.Universe(top, str(outputs.trajectory)).trajectory.n_frames == 4


def test_h5md_killed_within_a_frame(tmp_path, whole, monkeypatch):
    """Half written into the file, and all of it in the journal."""

    runner = make(tmp_path, steps=30)
    with monkeypatch.context() as patch:
        real, calls = transaction._apply, []

        def apply(descriptor, body):
            calls.append(body)
            if len(calls) == 4:
                transaction._write(descriptor, 0, b"half of it")
                raise KeyboardInterrupt
            real(descriptor, body)

        patch.setattr(transaction, "_apply", apply)
        with pytest.raises(KeyboardInterrupt):
            runner.run()
    assert (tmp_path / "r.h5md.journal").exists()
    make(tmp_path, restart=tmp_path / "r.restart").run()
    assert not (tmp_path / "r.h5md.journal").exists()
    np.testing.assert_allclose(positions(tmp_path, "r.h5md"), positions(whole, "r.h5md"), atol=1e-3)


def test_a_format_without_its_library_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("nnp.md.frame_file.find_spec", lambda _: None)
    outputs = Outputs.named(tmp_path / "r", trajectory=tmp_path / "r.h5md")
    with pytest.raises(UnavailableError, match=r"r\.h5md: writing H5MD needs h5py, .*pip install"):
        outputs.check()
    assert list(tmp_path.iterdir()) == []
