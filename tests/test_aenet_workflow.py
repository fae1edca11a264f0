"""ænet's way of working: set-ups, ``train.in`` with ``generate.in``, ``predict.in``."""

from __future__ import annotations

import re
import warnings

import aenet_files
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from test_aenet import CASES, write_folder

import nnp
from nnp.cli import main
from nnp.errors import FileFormatError, OptionError
from nnp.io.aenet.keywords import read_predict, read_train
from nnp.io.aenet.setup import read_setup, write_setup
from nnp.io.structures import write_structures
from nnp.networks import Activation
from nnp.train import read_settings

ATOMIC = {"O": -432.5, "Ti": -1604.6}
COUNT = 11

CHEBYSHEV = """
DESCR
  a basis for tests
END DESCR
! the central atom
ATOM {central}
env 2
O
Ti
RMIN 0.75d0
BASIS type=Chebyshev
radial_Rc = 4.0  radial_N = 3 angular_Rc = 3.5  angular_N = 2
"""
BEHLER = """
ATOM Ti
ENV 2
O
Ti
FUNCTIONS type=Behler2011
4
G=2 type2=O eta=0.003 Rs=0.5 Rc=6.5
G=3 type2=Ti kappa = 1.0 Rc=6.5d0
G=1 type2=O Rc=6.5
G=4 type2=Ti type3=O eta=0.0004 lambda=-1.0 zeta=2.0 Rc=6.0
"""
GENERATE = """
OUTPUT data.train
TYPES
2
O {O} | eV
Ti {Ti} | eV
SETUPS
O O.stp
Ti Ti.stp
FILES
{count}
{files}
"""
TRAIN = """
TRAININGSET data.train
TESTPERCENT 20
ITERATIONS 2
TIMING
METHOD
bfgs
NETWORKS
O O.4t-3w.nn 2 4:tanh 3:twist
Ti Ti.5s.nn 1 5:sigmoid
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder as ænet's users have it, labels from a potential of ours."""
    folder = tmp_path_factory.mktemp("project")
    for central in ("O", "Ti"):
        (folder / f"{central}.stp").write_text(CHEBYSHEV.format(central=central))
    made = nnp.load(
        write_folder(folder / "teacher", record=aenet_files.chebyshev_record), legacy_angle=False
    )
    rng = np.random.default_rng(4)
    for number in range(COUNT):
        atoms = Atoms("O2Ti", [[0, 0, 0], [2, 0, 0], [0, 2.2, 0.2]], cell=[4, 4.4, 4.2], pbc=True)
        atoms.rattle(0.2, rng=rng)
        found = made.evaluate(atoms)
        total = found.energy / 10 + 2 * ATOMIC["O"] + ATOMIC["Ti"]
        atoms.calc = SinglePointCalculator(atoms, energy=total, forces=found.forces / 10)
        write_structures([atoms], folder / f"s{number:02d}.xsf")
    write_inputs(folder)
    return folder


def write_inputs(folder, train=TRAIN, generate=GENERATE):
    files = "\n".join(f"s{number:02d}.xsf" for number in range(COUNT))
    (folder / "generate.in").write_text(generate.format(count=COUNT, files=files, **ATOMIC))
    (folder / "train.in").write_text(train)


# The others are of the old angle, or have no set-ups.
WITH_SETUPS = [name for name in CASES if "legacy" not in name and name != "water-revpbe"]


@pytest.mark.parametrize("name", [*WITH_SETUPS, "trainset-2el"])
def test_setups_are_the_potentials(reference_data, name):
    """Every .stp makes the functions that ænet put into the .nn, in whatever order they stand."""
    folder = reference_data / "aenet" / name
    files = [path.with_suffix(".nn") for path in folder.glob("*.stp")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        potential = nnp.load(files)
        for model in potential.models:
            setup = read_setup(folder / f"{model.symbol}.stp")
            assert setup.functions(potential.elements) == model.functions


def test_lines_between_elements_of_env(tmp_path):
    (tmp_path / "Ti.stp").write_text(BEHLER.replace("ENV 2\nO", "ENV 2\n\n! oxygen\nO", 1))
    assert read_setup(tmp_path / "Ti.stp").environment == ("O", "Ti")


def test_eta_inside_zeta(tmp_path):
    line = "G=4 type2=Ti type3=O zeta=2.0 eta=0.0004 lambda=-1.0 Rc=6.0"
    (tmp_path / "Ti.stp").write_text(BEHLER.replace(BEHLER.splitlines()[-1], line))
    with pytest.warns(UserWarning, match=r"line 11: 'eta' is first found inside .* \(zeta\)"):
        setup = read_setup(tmp_path / "Ti.stp")
    assert setup.parameters[3, 3] == 2.0


@pytest.mark.parametrize("text", [BEHLER, CHEBYSHEV.format(central="Ti")])
def test_setups_written(tmp_path, text):
    (tmp_path / "Ti.stp").write_text(text)
    first = read_setup(tmp_path / "Ti.stp")
    write_setup(first, tmp_path / "again.stp")
    again = read_setup(tmp_path / "again.stp")
    assert again.functions(("O", "Ti")) == first.functions(("O", "Ti"))
    assert (again.r_min, again.environment) == (first.r_min, ("O", "Ti"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("G=3", "G=7", "line 9: G=7: ænet has G1 to G5"),
        ("type2=O Rc=6.5\n", "type2=H Rc=6.5\n", r"line 10: H is not in ENV \(O Ti\)"),
        ("kappa = 1.0", "", "line 9: kappa= is missing"),
        ("ENV 2", "ENVS 2", "line 3: 'ENVS' is not a keyword of a set-up"),
        ("Behler2011", "Other", "line 6: type=other: Chebyshev and Behler2011"),
        ("ENV 2\nO\nTi", "ENV 2\nO", "line 6: '4' is not a keyword of a set-up"),
        ("ATOM Ti", "", "ATOM, ENV and a basis are expected"),
        ("\n4\n", "\n400\n", "ends too early"),
    ],
)
def test_setups_that_cannot_be(tmp_path, old, new, message):
    (tmp_path / "Ti.stp").write_text(BEHLER.replace(old, new, 1))
    with pytest.raises(FileFormatError, match=message):
        read_setup(tmp_path / "Ti.stp")


@pytest.mark.filterwarnings("ignore:.*METHOD bfgs becomes L-BFGS")
def test_training_as_with_train_x(project, capsys):
    write_inputs(project, TRAIN + "\nSAVE_ENERGIES\n")
    assert main(["train", str(project / "train.in"), "--force", "--log-level", "warning"]) == 0
    said = capsys.readouterr().out
    assert "energies are total ones, as the structures say" in said
    names = {"O": "O.4t-3w.nn", "Ti": "Ti.5s.nn"}
    assert all((project / f"{name}-00002").is_file() for name in names.values())
    potential = nnp.load([project / name for name in names.values()], legacy_angle=False)
    oxygen, titanium = potential.models
    assert oxygen.network.sizes[1:] == (4, 3, 1)
    assert oxygen.network.activations[:2] == (Activation.TANH, Activation.TWISTED_TANH)
    assert titanium.network.activations[0] is Activation.LOGISTIC
    best = nnp.load(project / "training" / "best.nnp")
    atoms = nnp.io.structures.read(project / "s03.xsf").frames[0]
    energy = best.evaluate(atoms).energy
    assert potential.evaluate(atoms).energy == pytest.approx(energy, rel=1e-12)
    rows = (project / "energies.test.0").read_text().splitlines()[1:]
    rows += (project / "energies.train.0").read_text().splitlines()[1:]
    assert len(rows) == COUNT
    assert len((project / "energies.test.0").read_text().splitlines()) == 3  # floor(.2 11) and head
    row = next(row for row in rows if row.endswith("s03.xsf")).split()
    assert float(row[1]) == pytest.approx(energy - 2 * ATOMIC["O"] - ATOMIC["Ti"], rel=1e-5)
    predict = (
        "TYPES\n2\nO\nTi\nNETWORKS\nO O.4t-3w.nn\nTi Ti.5s.nn\nFORCES\nPRINT_ATOMIC_ENERGIES\n"
        "FILES\n1\ns03.xsf\n"
    )
    (project / "predict.in").write_text(predict)
    assert main(["predict", str(project / "predict.in")]) == 0
    out = capsys.readouterr().out
    assert f"total energy {energy:.8f} eV" in out
    assert len(re.findall(r"^  (?:O |Ti)(?: +-?\d+\.\d{8}){4}$", out, re.MULTILINE)) == 3
    other = best.evaluate(nnp.io.structures.read(project / "s04.xsf").frames[0]).energy
    assert main(["predict", str(project / "predict.in"), str(project / "s04.xsf")]) == 0
    assert f"s04.xsf: 3 atoms, cohesive energy {other - 2 * ATOMIC['O'] - ATOMIC['Ti']:.8f}" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("method", "kind", "said"),
    [
        ("lm batchsize=10 learnrate=0.5 adjust=8", "levenberg_marquardt", "10 structures a step"),
        ("online_sd alpha=0.02 gamma=0.7", "sgd", "momentum = gamma"),
        ("adam mu=1.0d-3 b1=.9 b2=.99 batchsize=4", "adam", "4 structures a step"),
        ("method=adamw lr=0.0001", "adamw", "256 structures a step"),
        ("ekf lambda=0.98", "kalman", "forgetting = lambda"),
    ],
)
def test_methods(project, method, kind, said):
    write_inputs(project, TRAIN.replace("bfgs", method) + "FORCES\nalpha=0.1\n")
    with pytest.warns(UserWarning, match=f"METHOD .* becomes .*{said}"):
        settings = read_settings(project / "train.in")
    assert settings.optimizer.kind == kind
    assert (settings.loss.energy, settings.loss.forces) == (0.9, 0.1)
    assert settings.optimizer.levenberg_marquardt.damping == (0.5 if kind[0] == "l" else 0.1)
    if kind[0] == "l":
        own = settings.optimizer.levenberg_marquardt
        assert (own.batch, own.increase, own.decrease) == (10, 8, 1 / 8)
    if kind == "adam":
        assert settings.optimizer.gradient.betas == (0.9, 0.99)


@pytest.mark.filterwarnings("ignore:.*METHOD bfgs becomes L-BFGS")
def test_what_train_in_asks_for(project):
    write_inputs(project)
    settings = read_settings(project / "train.in")
    assert len(settings.data.split.indices) == 2
    assert settings.run.passes == 2
    energies = [nnp.io.structures.read(path).labels[0].energy for path in settings.data.train]
    cohesive = sorted((e - 2 * ATOMIC["O"] - ATOMIC["Ti"]) / 3 for e in energies)
    middle = (cohesive[0] + cohesive[-1]) / 2
    assert settings.data.reference_energies["O"] == pytest.approx(ATOMIC["O"] + middle)
    write_inputs(project, TRAIN + f"MAXENERGY {cohesive[6] + 1e-6}\n")
    assert len(read_settings(project / "train.in").data.train) == 7
    write_inputs(project, TRAIN + "SAMPLING sequential\n")
    with pytest.warns(UserWarning, match="SAMPLING: structures are always mixed"):
        read_settings(project / "train.in")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ITERATIONS", "ITERATION", r"train\.in, line 4: .*unknown: did you mean ITERATIONS"),
        ("4:tanh", "4:relu", "line 9: '4:relu': neurons and one of linear"),
        ("2 4:tanh", "3 4:tanh", "line 9: 3 hidden layers, 2 are named"),
        ("data.train", "other.train", r"makes data\.train, but .*trains on other\.train"),
        ("Ti Ti.5s.nn 1 5:sigmoid", "", "no network for Ti"),
        ("ITERATIONS 2", "ITERATIONS two", "'two' is not a number|line 4"),
        ("bfgs", "newton", "METHOD newton: known are adam, adamw, bfgs"),
        ("TESTPERCENT 20", "TESTPERCENT 100", "TESTPERCENT 100.0: 0 to below 100"),
        ("ITERATIONS 2", "MAXENERGY -99999", "MAXENERGY -99999.0 leaves no structure"),
    ],
)
def test_inputs_that_cannot_be(project, old, new, message):
    write_inputs(project, TRAIN.replace(old, new, 1))
    with pytest.raises((FileFormatError, OptionError), match=message):
        read_settings(project / "train.in")


@pytest.mark.parametrize(
    ("where", "old", "new", "message"),
    [
        (
            "train",
            "METHOD\nbfgs",
            "METHOD bfgs",
            "line 6: METHOD bfgs: ænet reads this from the next",
        ),
        ("train", "NETWORKS\n", "NETWORKS\nO a.nn 1 5:tanh\n", "NETWORKS names O twice"),
        ("generate", "TYPES\n2\n", "TYPES\n3\nO 1.0\n", "line 6: TYPES names O twice"),
        ("generate", "{count}", "12", "FILES has 12 lines, and 11 follow"),
        ("generate", "s10.xsf", "t10.xsf", "1 of the structures that FILES names are missing"),
        ("generate", "2\nO {O} | eV\n", "1\n", "s00.xsf has O, which TYPES of .* lacks"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*METHOD bfgs becomes L-BFGS")
def test_inputs_that_ask_for_something_else(project, where, old, new, message):
    files = "\n".join(f"s{number:02d}.xsf" for number in range(COUNT))
    texts = {"train": TRAIN, "generate": GENERATE.replace("{files}", files)}
    assert old in texts[where]
    texts[where] = texts[where].replace(old, new, 1)
    if "lacks" in message:
        texts["generate"] = texts["generate"].replace("O O.stp\n", "")
    message = message.replace("1 of the", f"1 of {COUNT} of the")
    write_inputs(project, texts["train"], texts["generate"])
    with pytest.raises((FileFormatError, OptionError), match=message):
        read_settings(project / "train.in")


@pytest.mark.filterwarnings("ignore:.*METHOD bfgs becomes L-BFGS")
def test_a_structure_that_is_named_twice(project):
    write_inputs(
        project, generate=GENERATE.replace("{count}", "12").replace("{files}", "s03.xsf\n{files}")
    )
    with pytest.warns(UserWarning, match="1 line of FILES repeat others"):
        settings = read_settings(project / "train.in")
    assert len(settings.data.train) == COUNT


@pytest.mark.filterwarnings("ignore:.*METHOD bfgs becomes L-BFGS")
def test_no_iterations_are_one_epoch(project):
    write_inputs(project, TRAIN.replace("ITERATIONS 2", "ITERATIONS 0"))
    with pytest.warns(UserWarning, match="ITERATIONS 0 becomes one epoch"):
        assert read_settings(project / "train.in").run.epochs == 1


def test_labels_of_two_kinds(project, tmp_path):
    (tmp_path / "train.in").write_text(TRAIN)
    with pytest.raises(FileFormatError, match=r"generate\.in is missing, and so is"):
        read_settings(tmp_path / "train.in")
    for path in project.glob("s*.xsf"):
        text = path.read_text()
        if path.stem == "s05":
            text = text.replace("total energy", "cohesive energy")
        (tmp_path / path.name).write_text(text)
    write_inputs(tmp_path)
    with pytest.raises(FileFormatError, match=r"s05\.xsf has a cohesive energy, others have total"):
        read_settings(tmp_path / "train.in")


def test_predict_in_that_cannot_be(tmp_path, capsys):
    path = tmp_path / "predict.in"
    path.write_text("TYPES\n1\nTi\nNETWORKS\nTi Ti.nn\nRELAX\nmethod=bfgs\n")
    with pytest.raises(FileFormatError, match="line 6: RELAX: nnp relax does that"):
        read_predict(path)
    for other, message in (("NETWORKS\nCu Cu.nn\n", "no network for Ti"), ("", "are expected")):
        path.write_text(f"TYPES\n1\nTi\n{other}")
        with pytest.raises(FileFormatError, match=message):
            read_predict(path)
    path.write_text("NETWORKS\nTi Ti.nn\nTYPES\n1\nTi\n")
    with pytest.raises(FileFormatError, match="line 1: NETWORKS before TYPES"):
        read_predict(path)
    path.write_text("TYPES\n1\nTi\nNETWORKS\nTi Ti.nn\nFILES\n1\na.xsf\nb.xsf\n")
    with pytest.raises(FileFormatError, match=r"line 8: FILES has 1 lines, .*b\.xsf"):
        read_predict(path)
    path.write_text("FILES\n0\n")
    with pytest.raises(FileFormatError, match="TYPES and NETWORKS are expected"):
        read_predict(path)
    assert main(["predict", "silicon_sw"]) != 0
    assert "STRUCTURES are missing" in capsys.readouterr().err


def test_short_letters(tmp_path):
    (tmp_path / "train.in").write_text(TRAIN.replace("2 4:tanh 3:twist", "3 1:l 2:m 3:w"))
    found = read_train(tmp_path / "train.in").networks["O"]
    wanted = (Activation.IDENTITY, Activation.SCALED_TANH, Activation.TWISTED_TANH)
    assert (found.hidden, found.activations) == ((1, 2, 3), wanted)
