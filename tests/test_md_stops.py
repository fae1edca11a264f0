"""Runs that cannot go on: everything so far stays, with the last good state and a clear message."""

from __future__ import annotations

import resource
from contextlib import contextmanager

import numpy as np
import openmm
import pytest
from ase import Atoms
from ase.io import read
from pair_potential import pair_potential
from runs import crystal, frames, moving_crystal, nnp, write_inputs

from nnp.errors import NNPError, NumericalError, StructureError
from nnp.md import MDSettings, Outputs, Runner, read_log, run
from nnp.md.files import AppendedFile
from nnp.md.restart import Restart, read_restart, write_restart
from nnp.openmm import create_system, python_force

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

SETTINGS = MDSettings(
    ensemble="nve", steps=400, timestep=2.0, log_interval=5, frame_interval=5, restart_interval=50
)


class Fails:
    """An engine that goes wrong after some evaluations."""

    def __init__(self, engine, after, wrong):
        self.engine, self.left, self.wrong = engine, after, wrong

    def compute(self, structure, forces, stress):
        self.left -= 1
        found = self.engine.compute(structure, forces=forces, stress=stress)
        return self.wrong(found) if self.left < 0 else found


@pytest.fixture
def failing_engine(monkeypatch):
    """Let the engine inside the force go wrong."""
    create = python_force.create_engine

    def install(after, wrong):
        def make(*arguments, **options):
            return Fails(create(*arguments, **options), after, wrong)

        monkeypatch.setattr(python_force, "create_engine", make)

    return install


def nan_forces(found):
    found.forces[3] = np.nan
    return found


def nan_energy(found):
    object.__setattr__(found, "energy", np.nan)
    return found


def refuse(_):
    raise StructureError("atoms 1 and 2 are in the same place")


def check_files(folder, message):
    """What is there after a stop; the message names the step of the last good state."""
    good = read(folder / "r.last-good.extxyz")
    step = good.info["step"]
    assert message.startswith(f"the run stopped after step {step}: ")
    assert f"The last good state (step {step}) is in {folder / 'r.last-good.extxyz'}" in message
    assert np.isfinite(good.positions).all()
    log = read_log(folder / "r.csv")
    assert step - 5 <= log["step"][-1] <= step
    assert np.isfinite(log["total_energy_eV"]).all()
    frames = read(folder / "r.extxyz", ":")
    assert len(frames) == len(log["step"])
    assert (folder / "r.restart").exists()
    assert not (folder / "r.final.extxyz").exists()
    return good


@pytest.mark.parametrize("platform", ["CPU", "Reference"])
@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (nan_forces, NumericalError, "not finite"),
        (nan_energy, NumericalError, "the potential energy is nan"),
        (refuse, StructureError, "atoms 1 and 2 are in the same place"),
    ],
)
def test_engine_that_goes_wrong(tmp_path, failing_engine, platform, wrong, error, text):
    failing_engine(60, wrong)
    outputs = Outputs.named(tmp_path / "r")
    with pytest.raises(error, match=text) as caught:
        run(pair_potential(), moving_crystal(), SETTINGS, outputs, platform, route="python")
    good = check_files(tmp_path, str(caught.value))
    assert 20 <= good.info["step"] <= 60
    advice = "Try a smaller timestep" in str(caught.value)
    assert advice == (error is NumericalError)


@pytest.mark.parametrize("platform", ["CPU", "Reference"])
def test_force_that_turns_nan(tmp_path, platform):
    """No engine of ours: sqrt of a negative number once the atom has moved 1 Å."""
    system = openmm.System()
    system.addParticle(1.0)
    force = openmm.CustomExternalForce("1e-6 * sqrt(0.1 - x)")
    force.addParticle(0)
    system.addForce(force)
    atoms = Atoms("H", [(0, 0, 0)], velocities=[(0.5, 0, 0)])
    with pytest.raises(NumericalError, match=r"not finite|energy is nan") as caught:
        Runner(system, atoms, SETTINGS, Outputs.named(tmp_path / "r"), platform).run()
    good = check_files(tmp_path, str(caught.value))
    assert 0.5 < good.positions[0, 0] <= 1.0


def test_bad_start_is_refused_before_anything_is_written(tmp_path, failing_engine):
    failing_engine(0, nan_forces)
    with pytest.raises(NumericalError, match="the force of atom 3 is not finite"):
        run(pair_potential(), crystal(), SETTINGS, Outputs.named(tmp_path / "r"), route="python")
    assert list(tmp_path.iterdir()) == []


def test_too_many_extrapolating_atoms(tmp_path):
    """A crystal heated until it leaves the range of the potential."""
    atoms = moving_crystal(temperature=6000)
    allowed = MDSettings(**(vars(SETTINGS) | {"max_extrapolations": 32, "steps": 40}))
    run(pair_potential(), atoms, allowed, Outputs.named(tmp_path / "allowed"))
    assert read_log(tmp_path / "allowed.csv")["extrapolating_atoms"].max() > 0
    limited = MDSettings(**(vars(SETTINGS) | {"max_extrapolations": 0}))
    with pytest.raises(
        NumericalError,
        match=r"\d+ atoms? extrapolates?, more than .*=0, at step \d+; worst: atom \d+ \(Si\), ",
    ) as caught:
        run(pair_potential(), atoms, limited, Outputs.named(tmp_path / "r"))
    check_files(tmp_path, str(caught.value))
    counts = read_log(tmp_path / "r.csv")["extrapolating_atoms"]
    assert counts[-1] > 0
    assert (counts[:-1] == 0).all()


def test_command_line_says_it_in_one_line(tmp_path, failing_engine, capsys):
    failing_engine(100, nan_forces)
    inputs = write_inputs(tmp_path)
    words = ("--output", tmp_path / "r", "--log-interval", 5, "--frame-interval", 5)
    words += ("--route", "python")
    assert nnp("md", *inputs, *words) == 1
    error = capsys.readouterr().err
    (line,) = (text for text in error.splitlines() if text.startswith("nnp: error:"))
    assert line.startswith("nnp: error: the run stopped after step ")
    assert "Traceback" not in error
    check_files(tmp_path, line.removeprefix("nnp: error: "))


def test_full_disk_from_the_start(tmp_path):
    outputs = Outputs.named(tmp_path / "r", log="/dev/full", force=True)
    with pytest.raises(NNPError, match="cannot write /dev/full: the disk is full; make room"):
        run(pair_potential(), crystal(), SETTINGS, outputs)


@contextmanager
def limit_files(size):
    """A limit on the size of files, which cuts writes short as a full disk does.

    Within a test only: pytest's own report may be a file that is longer.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("suffix", "size"), [("extxyz", 60_000), ("dcd", 40_000)])
def test_disk_that_fills_up(tmp_path, capsys, suffix, size):
    """Half a frame, which readers would refuse with all others, goes away."""
    inputs, path = write_inputs(tmp_path), tmp_path / f"r.{suffix}"
    words = ("--output", tmp_path / "r", "--trajectory", path, "--frame-interval", "1")
    words += ("--log-interval", "5", "--restart-interval", "1000")
    with limit_files(size):
        assert nnp("md", *inputs, *words) == 1
    error = capsys.readouterr().err
    (line,) = (text for text in error.splitlines() if text.startswith("nnp: error:"))
    assert f"cannot write {path}: File too large" in line
    assert "Traceback" not in error
    step = read(tmp_path / "r.last-good.extxyz").info["step"]
    assert f"(step {step}) is in {tmp_path / 'r.last-good.extxyz'}" in line
    assert read_log(tmp_path / "r.csv")["step"][-1] > 0
    found = frames(path)
    assert len(found) == step > 5
    assert (np.abs(found) < 30).all()


def test_a_piece_is_there_or_not(tmp_path):
    file = AppendedFile(tmp_path / "r.csv")
    with limit_files(25):
        file.write(b"0123456789")
        file.write(b"0123456789")
        with pytest.raises(NNPError, match=r"cannot write .*r\.csv: File too large"):
            file.write(b"0123456789")
    assert (tmp_path / "r.csv").read_bytes() == b"01234567890123456789"


def test_a_last_state_that_cannot_be_written_leaves_no_empty_file(tmp_path):
    outputs = Outputs.named(tmp_path / "r")
    lost = r"last good state is lost \(cannot write .*too large\)"
    with limit_files(1_000), pytest.raises(NNPError, match=lost):
        run(pair_potential(), crystal(), SETTINGS, outputs)
    assert {path.name for path in tmp_path.iterdir()} == {"r.csv", "r.extxyz"}
    assert (tmp_path / "r.extxyz").read_bytes() == b""


def hot(temperature=300.0, factor=1.0):
    """A crystal of which one atom is faster."""
    atoms = moving_crystal(temperature)
    momenta = atoms.get_momenta()
    momenta[7] *= factor
    atoms.set_momenta(momenta)
    return atoms


def bound(**changes):
    return MDSettings(**(vars(SETTINGS) | changes))


def test_an_exploding_run_stops_by_default(tmp_path, capsys):
    """It ended with exit code 0 and a mean temperature of 10⁶ K."""
    inputs = write_inputs(tmp_path, hot(30_000.0))
    words = ("--output", tmp_path / "r", "--log-interval", 5, "--timestep", 4, "--no-pictures")
    words += ("--max-temperature", 5000)
    assert nnp("md", *inputs, *words) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "K, more than max_temperature=5000 K; atom " in line
    assert "(Si) is the fastest" in line
    assert "--keep-going" in line


def test_bounds_name_the_atom(tmp_path):
    atoms = hot(factor=60.0)
    text = r"^where the run begins, atom 7 \(Si\) moves at .* more than max_speed=0.0"
    with pytest.raises(NumericalError, match=text):
        run(pair_potential(), atoms, bound(max_speed=0.05), Outputs.named(tmp_path / "r"))
    assert list(tmp_path.iterdir()) == []
    slow = MDSettings(ensemble="nve", timestep=10.0)
    with pytest.raises(NumericalError, match=r"atom 7 \(Si\) moves at .* max_speed=0.05 Å/fs"):
        run(pair_potential(), atoms, slow, Outputs.named(tmp_path / "r"))


@pytest.mark.parametrize("platform", ["CPU", "Reference"])
def test_too_fast_on_the_way(tmp_path, failing_engine, platform):
    """One atom is pushed; the step before is the last good one, and the restart file stays."""

    def push(found):
        found.forces[3] += 300.0
        return found

    failing_engine(60, push)
    outputs = Outputs.named(tmp_path / "r")
    with pytest.raises(NumericalError, match=r"atom 3 \(Si\) moves at|is the fastest") as caught:
        run(pair_potential(), moving_crystal(), SETTINGS, outputs, platform, route="python")
    check_files(tmp_path, str(caught.value))
    before = (tmp_path / "r.restart").read_bytes()
    assert before


def test_drift_of_the_energy(tmp_path, failing_engine):
    def shift(found):
        object.__setattr__(found, "energy", found.energy + 5.0)
        return found

    failing_engine(60, shift)
    text = r"the total energy has drifted by \+0\.15\d* eV per atom at step \d+, more than .*=0\.1"
    outputs = Outputs.named(tmp_path / "r")
    with pytest.raises(NumericalError, match=text):
        run(pair_potential(), moving_crystal(), SETTINGS, outputs, route="python")


def test_drift_counts_from_the_beginning_of_the_run(tmp_path):
    """Not from its last continuation."""
    run(pair_potential(), moving_crystal(), bound(steps=50), Outputs.named(tmp_path / "r"))
    first = read_restart(tmp_path / "r.restart").energy
    log = read_log(tmp_path / "r.csv")
    assert first == pytest.approx(log["total_energy_eV"][0], abs=1e-6)
    atoms, system = moving_crystal(), create_system(pair_potential(), moving_crystal())
    header = dict(vars(read_restart(tmp_path / "r.restart"))) | {"energy": first - 4.0}
    write_restart(Restart(**header), tmp_path / "r.restart")
    outputs = Outputs.named(tmp_path / "r")
    going = Runner(system, atoms, bound(steps=60), outputs, "CPU", tmp_path / "r.restart")
    with pytest.raises(NumericalError, match=r"drifted by \+0\.125 eV per atom"):
        going.run()


def test_extrapolation_has_a_default_limit(tmp_path):
    atoms = moving_crystal()
    atoms.set_cell(atoms.cell * 0.8, scale_atoms=True)
    text = r"32 atoms extrapolate, more than max_extrapolations=16, at step 0; worst: atom \d+ "
    text += r"\(Si\), function \d+ \(radial Si .*\) by [+-]\d+ % of its training range"
    with pytest.raises(NumericalError, match=text):
        run(pair_potential(), atoms, SETTINGS, Outputs.named(tmp_path / "r"))
    going = bound(keep_going=True, steps=5)
    with pytest.warns(
        RuntimeWarning, match="32 atoms extrapolate.*the run continues, as keep_goin"
    ):
        run(pair_potential(), atoms, going, Outputs.named(tmp_path / "s"))


def test_slight_extrapolation_of_all_atoms_is_no_stop_by_default(tmp_path):
    """As of an ideal crystal beside data at a temperature; a limit that is given counts all."""
    atoms, potential = moving_crystal(), pair_potential()
    atoms.set_cell(atoms.cell * 0.89, scale_atoms=True)
    found = potential.evaluate(atoms).extrapolations
    assert found.n_atoms == 32
    assert 0.01 < found.worst.relative < 0.1
    brief = bound(steps=1, max_temperature=1e6, max_speed=10.0, max_energy_drift=1e3)
    run(potential, atoms, brief, Outputs.named(tmp_path / "r"))
    strict = MDSettings(**(vars(brief) | {"max_extrapolations": 31}))
    with pytest.raises(NumericalError, match=r"32 atoms extrapolate, more than .*=31"):
        run(potential, atoms, strict, Outputs.named(tmp_path / "s"))


def test_keep_going_warns_once_and_stops_for_what_is_not_finite(tmp_path, failing_engine):
    going = bound(max_temperature=1.0, keep_going=True, steps=40)
    with pytest.warns(RuntimeWarning, match="max_temperature=1 K") as caught:
        run(pair_potential(), moving_crystal(), going, Outputs.named(tmp_path / "r"))
    assert len([w for w in caught if "max_temperature" in str(w.message)]) == 1
    failing_engine(20, nan_forces)
    outputs = Outputs.named(tmp_path / "s")
    with pytest.warns(RuntimeWarning), pytest.raises(NumericalError, match="not finite"):
        run(pair_potential(), moving_crystal(), going, outputs, route="python")
