"""n2p2's and RuNNer's input.nn as settings of a training run."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from train_data import dataset

import nnp
from nnp.cli import main
from nnp.errors import FileFormatError, OptionError, StructureError
from nnp.io.structures import write_structures
from nnp.train.config.read import read_settings
from nnp.train.data.dataset import Dataset
from nnp.train.data.sets import read_data
from nnp.train.fit.task import build
from nnp.units import ATOMIC, BOHR, HARTREE, METAL

MODEL = """
number_of_elements 1
elements Si
cutoff_type 1
scale_symmetry_functions
scale_min_short 0.1
scale_max_short 0.9
global_hidden_layers_short 2
global_nodes_short 5 4
global_activation_short t t l
symfunction_short Si 2 Si 0.05 0.0 8.5
symfunction_short Si 2 Si 0.30 1.0 8.5
symfunction_short Si 3 Si Si 0.05 1.0 1.0 8.5
"""
KALMAN = """
epochs 3
updater_type 1
random_seed 7
test_fraction 0.25
use_short_forces
force_weight 2.0
short_force_fraction 0.2
weights_min -0.5
weights_max 0.3
selection_mode 2
short_force_error_threshold 0.8
atom_energy Si -1.5
kalman_type 0
kalman_epsilon 0.01
kalman_q0 0.02
kalman_qtau 2.3
kalman_qmin 1.0d-6
kalman_eta 0.05
kalman_etatau 1.1
kalman_etamax 2.0
write_weights_epoch 2
"""
STATS_ONLY = "normalize_data_set stats-only\n"


@pytest.fixture
def folder(tmp_path):
    """A function that writes an input.nn beside an input.data and returns its path."""

    def write(training, model=MODEL, units=ATOMIC):
        frames = []
        for frame in dataset(count=8):
            s = frame.structure
            atoms = Atoms(s.symbols, s.positions, cell=s.cell, pbc=True)
            atoms.calc = SinglePointCalculator(atoms, energy=frame.energy, forces=frame.forces)
            frames.append(atoms)
        write_structures(frames, tmp_path / "input.data", units, force=True)
        path = tmp_path / "input.nn"
        path.write_text(model + training)
        return path

    return write


def quiet(path, units=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_settings(path, units)


def test_keywords_become_settings(folder):
    found = read_settings(folder(KALMAN))  # without a warning: everything has a meaning
    assert (found.run.epochs, found.run.seed, found.run.checkpoint_every) == (3, 7, 2)
    assert found.data.split.fraction == 0.25
    assert found.data.reference_energies == {"Si": pytest.approx(-1.5 * HARTREE)}
    assert found.network.of("Si").hidden == (5, 4)
    assert found.network.initial == "uniform"
    assert found.network.weight_range == (-0.5, 0.3)
    inputs = found.inputs
    assert (inputs.scaling, inputs.target_min, inputs.target_max) == ("scale", 0.1, 0.9)
    filter_ = found.optimizer.kalman
    assert not filter_.fading
    assert (filter_.noise, filter_.noise_decay, filter_.noise_min) == (20.0, 1.1, 0.5)
    assert filter_.covariance == 100.0
    assert (filter_.process_noise, filter_.process_decay) == (0.02, 2.3)
    assert filter_.process_min == 1e-6
    assert filter_.threshold == 0.8
    assert filter_.candidates == 4  # 0.2 of the 18 components of 6 atoms
    # one step's residuals are those of n2p2: hartree of the whole structure, β hartree/bohr
    assert found.loss.energy == pytest.approx((6 / HARTREE) ** 2)
    assert found.loss.forces == pytest.approx(4 * (2.0 * BOHR / HARTREE) ** 2)


def test_residuals_are_in_the_units_of_the_file(folder):
    """The same file in other units gives the same residuals for the filter."""
    metal = read_settings(folder(KALMAN, units=METAL), "metal")
    assert metal.loss.energy == pytest.approx(36.0)
    assert metal.loss.forces == pytest.approx(16.0)
    assert metal.data.units == "metal"
    normalised = "mean_energy 1.0\nconv_energy 3.0\nconv_length 2.0\n"
    found = read_settings(folder(KALMAN + normalised), "metal")
    assert found.loss.energy == pytest.approx(36.0 * 9)
    assert found.loss.forces == pytest.approx(16.0 * (3 / 2) ** 2)


def test_first_weights_are_in_the_range(folder):
    settings = read_settings(folder(KALMAN))
    theta = build(settings, *read_data(settings.data), quiet=True).theta.numpy()
    assert -0.5 <= theta.min() < -0.4
    assert 0.2 < theta.max() <= 0.3


@pytest.mark.parametrize(
    ("training", "kind"),
    [
        ("", "kalman"),
        ("updater_type 0\ngradient_eta 0.001\n", "sgd"),
        ("updater_type 0\ngradient_type 1\ngradient_adam_eta 0.01\n", "adam"),
        ("updater_type 2\n", "levenberg_marquardt"),
        ("optmode_short_energy 3\nsteepest_descent_step_energy_short 0.02\n", "sgd"),
    ],
)
def test_optimisers(folder, training, kind):
    found = read_settings(folder(training)).optimizer
    assert found.kind == kind
    rates = {"sgd": (0.001, 0.02), "adam": (0.01,)}
    assert kind not in rates or found.gradient.rate in rates[kind]


def test_filter_with_fading_memory(folder):
    for training in ("kalman_type 1\n", ""):
        path = folder(training + "kalman_lambda_short 0.97\nkalman_nue_short 0.999\n")
        found = read_settings(path).optimizer.kalman
        assert found.fading
        assert (found.noise, found.forgetting, found.forgetting_rate) == (1.0, 0.97, 0.999)


def test_what_has_no_meaning_is_said_once(folder):
    path = folder("repeated_energy_update\nwrite_trainpoints 1\nmd_mode\nmd_mode\nrandom_seed 1\n")
    with pytest.warns(UserWarning, match="is left out: ") as caught:
        read_settings(path)
    texts = [str(w.message) for w in caught]
    assert len(texts) == 3
    for keyword, reason in (
        ("repeated_energy_update", "together"),
        ("write_trainpoints", "log.csv"),
        ("md_mode", "only the program"),
    ):
        (text,) = (t for t in texts if keyword in t)
        assert "input.nn, line" in text
        assert reason in text


def labels(units=HARTREE):
    """Energies per atom less the atom's own, and all force components, in eV and Å."""
    data = dataset(count=8)
    energies = np.array([f.energy / len(f.structure) + 1.5 * units for f in data])
    return energies, np.concatenate([f.forces.ravel() for f in data])


def deviation(values):
    return np.sqrt(np.sum((values - np.sum(values) / len(values)) ** 2) / (len(values) - 1))


def test_normalisation_by_the_labels(folder):
    """Residuals become those of n2p2: unit deviation of energies per atom and of forces."""
    found = read_settings(folder(KALMAN + "normalize_data_set ref\n"))
    energies, forces = labels()
    assert found.loss.energy == pytest.approx((6 / deviation(energies)) ** 2, rel=1e-9)
    assert found.loss.forces == pytest.approx(4 * (2.0 / deviation(forces)) ** 2, rel=1e-9)
    mean = found.data.reference_energies["Si"] + 1.5 * HARTREE
    assert mean == pytest.approx(np.mean(energies), rel=1e-9)


def test_normalisation_by_the_first_forces(folder):
    """Energies are scaled so that untrained networks' forces spread as the labels do."""
    path = folder(KALMAN + "normalize_data_set force\n")
    found = read_settings(path)
    _, forces = labels()
    first = build(found, Dataset.read(path.parent / "input.data"), Dataset(()), quiet=True)
    untrained = first.model.potential(first.theta)
    guessed = [untrained.evaluate(f.structure).forces.ravel() for f in dataset(count=8)]
    ratio = deviation(np.concatenate(guessed)) / deviation(forces)
    assert found.loss.energy == pytest.approx((6 * ratio) ** 2, rel=1e-6)
    assert found.loss.forces == pytest.approx(4 * (2.0 / deviation(forces)) ** 2, rel=1e-9)


def test_written_normalisation(folder):
    """stats-only takes the numbers of the file, of which the mean belongs to every atom."""
    numbers = "mean_energy -0.25\nconv_energy 3.0\nconv_length 2.0\n"
    one, two = (read_settings(folder(KALMAN + numbers + end)) for end in ("", STATS_ONLY))
    assert one.loss == two.loss
    for found in (one, two):
        assert found.data.reference_energies["Si"] == pytest.approx(-1.75 * HARTREE)


def test_labels_that_do_not_differ_cannot_be_normalised(folder, tmp_path):
    path = folder("normalize_data_set ref\n")
    text = re.sub(r"energy .*", "energy 1.0", (tmp_path / "input.data").read_text())
    (tmp_path / "input.data").write_text(text)
    with pytest.raises(StructureError, match=r"input\.data: the 8 energies per atom are all"):
        read_settings(path)


BAD = {
    "normalize_data_set pred\n": "normalize_data_set pred: allowed are ref, force, stats-only",
    "normalize_data_set force\n": "normalize_data_set force needs forces: write use_short_forces",
    "epoch 3\n": r"line 14: the keyword 'epoch' is unknown: did you mean 'epochs'\?",
    "qwertz 3\n": "the keyword 'qwertz' is unknown: neither n2p2 nor RuNNer has such a keyword",
    "updater_type 5\n": r"updater_type 5 has no equivalent here: 0 \(sgd\), 1 \(kalman\)",
    "optmode_short_energy 2\n": "optmode_short_energy 2 has no equivalent here",
    "kalman_epsilon 0\n": "kalman_epsilon 0.0 must be above zero",
    "epochs many\n": "epochs has 'many' where a whole number is expected",
    "epochs 0\n": r"\[run\]: epochs = 0: 1 or more",
    "weights_min 2\n": r"weight_range = \[2.0, 1.0\]",
    "normalize_nodes\n": "normalize_nodes is not trained here",
    "use_electrostatics\n": "use_electrostatics is not supported",
    "atom_energy Si\n": "atom_energy has 1 arguments",
}


@pytest.mark.parametrize("training", BAD)
def test_bad_keywords(folder, training):
    with pytest.raises((OptionError, FileFormatError), match=BAD[training]):
        quiet(folder(training))


def test_another_number_of_elements(folder):
    model = MODEL.replace("number_of_elements 1", "number_of_elements 2")
    with pytest.raises(FileFormatError, match=r"number_of_elements is 2, but elements lists 1"):
        read_settings(folder("", model))


def test_networks_that_cannot_be_trained(folder):
    mixed = MODEL.replace("t t l", "t p l")
    with pytest.raises(OptionError, match="activations t p l"):
        read_settings(folder("", mixed))


def test_files_that_are_missing(folder, tmp_path):
    path = folder("")
    (tmp_path / "input.data").unlink()
    with pytest.raises(FileFormatError, match=r"input\.data is missing: it holds what"):
        read_settings(path)
    with pytest.raises(FileFormatError, match=r"other\.nn is missing"):
        read_settings(tmp_path / "other.nn")
    (tmp_path / "fit.toml").write_text("[data]\ntrain = 'a'")
    with pytest.raises(OptionError, match=r"write data\.units"):
        read_settings(tmp_path / "fit.toml", "metal")


def test_command(folder, tmp_path, capsys):
    path = folder(KALMAN.replace("epochs 3", "epochs 12"))
    assert main(["train", str(path)]) == 0
    assert "best epoch" in capsys.readouterr().out
    potential = nnp.load(tmp_path / "training" / "best.nnp")
    assert potential.models[0].network.sizes[1:] == (5, 4, 1)
    data = dataset(count=8)
    errors = [potential.evaluate(f.structure).forces - f.forces for f in data]
    assert np.std(errors) < 0.7 * np.std([f.forces for f in data])
