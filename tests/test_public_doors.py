"""What is of another kind than an argument wants is a sentence of ours, at every public door."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from pair_potential import pair_potential
from runs import crystal, nnp, write_inputs

from nnp import Committee, load
from nnp.ase import NNPCalculator
from nnp.errors import NNPError, OptionError, StructureError
from nnp.io.structures import write_structures
from nnp.train.data.augment import AugmentSettings
from nnp.train.data.sampling import SampleSettings

PAIR = pair_potential()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load(None), "path is a NoneType: give the path of a potential"),
        (lambda: NNPCalculator([PAIR, PAIR]), "path is a list: give the path"),
        (lambda: Committee.of([PAIR, "b"]), "member 1 is a str: give an nnp.Potential"),
        (lambda: AugmentSettings(seed=-1), "seed=-1: a whole number from 0"),
        (lambda: SampleSettings((300.0,), seed=1.5), r"seed=1\.5: a whole number from 0"),
    ],
)
def test_another_kind_is_named(call, message):
    with pytest.raises(OptionError, match=message):
        call()


def test_seed_of_training():
    settings = pytest.importorskip("nnp.train.fit.settings", reason="torch is not installed")
    with pytest.raises(OptionError, match="seed=-1: a whole number from 0"):
        settings.RunSettings(seed=-1)
    assert settings.RunSettings(seed=np.int64(3)).seed == 3


def test_charge_that_is_no_number(tmp_path):
    """A key that other programs use in their way."""
    atoms = Atoms("H", info={"charge": "neutral"})
    with pytest.raises(
        StructureError, match=r"charge='neutral' among what .* takes a number, in e"
    ):
        write_structures([atoms], tmp_path / "input.data")
    assert list(tmp_path.iterdir()) == []


def test_openmm_arguments():
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_force, create_simulation

    integrator = openmm.VerletIntegrator(0.001)
    with pytest.raises(OptionError, match=r"potential is a str: give an nnp.Potential: nnp"):
        create_simulation("si.nnp", crystal(), integrator)
    with pytest.raises(OptionError, match=r"integrator is a str: give an openmm.Integrator"):
        create_simulation(PAIR, crystal(), "verlet", route="python")
    with pytest.raises(NNPError, match=r"cannot make a Context on platform='CPU': .*colour"):
        create_simulation(PAIR, crystal(), integrator, "CPU", {"colour": "red"}, route="python")
    with pytest.raises(OptionError, match=r"dtype=\[1\]"):
        create_force(PAIR, crystal(), "native", dtype=[1])


def test_openmm_that_refuses_is_one_line(tmp_path, capsys, monkeypatch):
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")

    def refuse(*_):
        raise openmm.OpenMMException("NNPForce: threads is 100000")

    inputs = write_inputs(tmp_path)
    monkeypatch.setattr("nnp.md.dynamics.openmm.Context", refuse)
    assert nnp("md", *inputs, "--output", tmp_path / "r", "--route", "python") == 1
    error = capsys.readouterr().err
    assert error == (
        "nnp: error: OpenMM cannot make a Context on platform='CPU': NNPForce: threads is 100000\n"
    )


def test_modules_of_training_are_found_under_their_first_names():
    """Each in a process that has not seen the new one."""
    script = (
        "import nnp.train.sampling, nnp.train.data.sampling as new\n"
        "from nnp.train.settings import DataSettings\n"
        "from nnp.train.optimizers.kalman import KalmanSettings\n"
        "from nnp.train import teachers\n"
        "import nnp.train.fit.optimizers.kalman as kalman\n"
        "assert nnp.train.sampling is new and new.__name__ == 'nnp.train.data.sampling'\n"
        "assert KalmanSettings is kalman.KalmanSettings\n"
        "assert teachers.teacher('vashishta')\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_potentials_at_a_prompt_take_a_line():
    """Their arrays would fill the screen."""
    water = load("water_rpbe_d3")
    one = "<Potential H 86-24-24-1, O 86-24-24-1, cutoff 6 Å>"
    assert repr(water) == one
    assert repr(Committee.of([water, water])) == f"<Committee of 2: {one}, {one}>"
    assert len(repr(water.models[0])) < 80
