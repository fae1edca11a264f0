"""ænet's potentials: the compiled program's answers, dialects, damage."""

from __future__ import annotations

import json

import aenet_files
import numpy as np
import pytest
from ase import Atoms

import nnp
from nnp.cli import main
from nnp.elements import atomic_number
from nnp.errors import FileFormatError, OptionError
from nnp.io import aenet
from nnp.io.aenet.binary import read_binary
from nnp.io.aenet.record import permutation
from nnp.io.structures import read_structures

CASES = [
    "behler-1el-all",
    "behler-2el-dead",
    "behler-2el-eta-after-zeta",
    "behler-2el-radial-first",
    "behler-3el",
    "cheb-1el-high",
    "cheb-1el-low",
    "cheb-1el-small",
    "cheb-2el-env-order",
    "cheb-2el-legacy",
    "cheb-3el",
    "cheb-5el",
    "tio2-behler2011-trained",
    "tio2-cheb-15-15-legacy",
    "tio2-pytorch",
    "water-revpbe",
]
CLUSTER = Atoms(
    "TiO2Ti", positions=[[0, 0, 0], [1.9, 0, 0.1], [-0.3, 1.95, 0], [1.7, 2.0, 1.5]], pbc=False
)


@pytest.mark.parametrize(("engine", "suffix"), [("reference", ".nn"), ("cpu", ".nn.ascii")])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*angular cutoff")
def test_answers_of_the_compiled_program(reference_data, name, suffix, engine):
    folder = reference_data / "aenet" / name
    if not folder.is_dir():
        pytest.skip("no potentials of aenet among the reference data")
    potential = nnp.load(sorted(folder.glob(f"*{suffix}")))
    expected = np.load(folder / "expected.npz")
    case = json.loads((folder / "case.json").read_text())
    largest = max(np.abs(expected[f"forces_{k}"]).max() for k in range(len(case["structures"])))
    for k, file in enumerate(case["structures"]):
        (atoms,) = read_structures(folder / file)
        if engine == "reference" and len(atoms) > 60:
            continue
        result = potential.evaluate(atoms, engine)
        np.testing.assert_allclose(result.energy, expected[f"energy_{k}"], rtol=1e-10)
        np.testing.assert_allclose(
            result.forces, expected[f"forces_{k}"], rtol=0, atol=1e-10 * largest
        )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*angular cutoff")
def test_fingerprints_of_the_compiled_program(reference_data, name):
    folder = reference_data / "aenet" / name
    if not folder.is_dir():
        pytest.skip("no potentials of aenet among the reference data")
    files = sorted(folder.glob("*.nn"))
    expected = np.load(folder / "expected.npz")
    case = json.loads((folder / "case.json").read_text())
    potential = nnp.load(files)
    place = {}
    for record in map(read_binary, files):
        elements = sorted((path.stem for path in files), key=atomic_number)
        functions = aenet._functions(record, elements, case["legacy_angular"])
        model = next(model for model in potential.models if model.symbol == record.central)
        place[record.central] = permutation(model.functions, functions)
    for k, file in enumerate(case["structures"][:2]):
        (atoms,) = read_structures(folder / file)
        wanted, rows = expected[f"fingerprints_{k}"], expected[f"fingerprint_atoms_{k}"]
        found = potential.descriptors(atoms)
        largest = np.nanmax(np.abs(wanted))
        for row, atom in enumerate(rows):
            own = found[atom][place[atoms.symbols[atom]]]
            np.testing.assert_allclose(own, wanted[row, : len(own)], rtol=0, atol=1e-12 * largest)


def test_energies_of_a_trained_potential(reference_data):
    """SAVE_ENERGIES of train.x has seven digits."""
    folder = reference_data / "aenet" / "trainset-2el"
    if not folder.is_dir():
        pytest.skip("no potentials of aenet among the reference data")
    potential = nnp.load([folder / "Ti.nn", folder / "O.nn"])
    atomic = {"Ti": -1604.604515075, "O": -432.503149303}
    for line in (folder / "energies.train.0").read_text().splitlines()[1:4]:
        words = line.split()
        (atoms,) = read_structures(folder / words[-1])
        cohesive = potential.evaluate(atoms).energy - sum(atomic[s] for s in atoms.symbols)
        assert cohesive == pytest.approx(float(words[1]), rel=2e-6)


def write_folder(folder, form=None, record=aenet_files.record, **changes):
    folder.mkdir()
    for number, element in enumerate(("O", "Ti")):
        items = record(element, number) | {int(k[1:]): v for k, v in changes.items()}
        if form is None:
            (folder / f"{element}.nn").write_bytes(aenet_files.binary(items))
        else:
            (folder / f"{element}.nn.ascii").write_text(aenet_files.text(items, **form))
    return folder


@pytest.mark.parametrize("form", [{}, {"per_line": 3}, {"fields": True}, {"per_line": 1}])
def test_dialects_of_text(tmp_path, form):
    wanted = nnp.load(write_folder(tmp_path / "binary")).evaluate(CLUSTER)
    found = nnp.load(write_folder(tmp_path / "text", form)).evaluate(CLUSTER)
    np.testing.assert_allclose(found.energy, wanted.energy, rtol=1e-14)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-13)


def test_one_sum_by_hand(tmp_path):
    """A dimer beyond all cutoffs: only biases, means and the elements' energies are left."""
    potential = nnp.load(write_folder(tmp_path / "p"))
    expected = 0.0
    for number, element in enumerate(("O", "Ti")):
        items = aenet_files.record(element, number)
        # the order of evaluation: G1 O, G3 O, G4 O-Ti, G2 Ti, G5 Ti-Ti; all functions are zero
        sigma = np.sqrt(items[26] - items[25] ** 2)
        x = -items[25] / sigma
        at = 0
        for layer, (n_in, n_out) in enumerate(((5, 3), (3, 2), (2, 1))):
            block = items[9][at : at + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
            x = np.append(x, 1.0) @ block
            if layer == 0:
                x = np.tanh(x)
            elif layer == 1:
                x = 1.7159 * np.tanh(2 / 3 * x) + 0.1 * x
            at += (n_in + 1) * n_out
        expected += float(x[0]) / 0.8 - 0.2 + aenet_files.ENERGIES[number]
    far = Atoms("OTi", positions=[[0, 0, 0], [30, 0, 0]])
    np.testing.assert_allclose(potential.evaluate(far).energy, expected, rtol=1e-13)


def test_a_list_a_folder_and_the_command(tmp_path, capsys):
    folder = write_folder(tmp_path / "p")
    energy = nnp.load(folder).evaluate(CLUSTER).energy
    files = [folder / "Ti.nn", folder / "O.nn"]
    assert nnp.load(files).evaluate(CLUSTER).energy == energy
    (folder / "O.nn.ascii").write_text("the binary one is taken")
    assert nnp.load(folder).evaluate(CLUSTER).energy == energy
    assert main(["convert", str(folder), str(tmp_path / "m.nnp")]) == 0
    assert nnp.load(tmp_path / "m.nnp").evaluate(CLUSTER).energy == energy
    capsys.readouterr()
    with pytest.raises(OptionError, match="are in angstrom, eV; leave it out"):
        nnp.load(folder, units="atomic")


def test_a_function_that_never_changed_is_not_used(tmp_path):
    items = aenet_files.record("O")
    square = items[26].copy()
    square[2] = items[25][2] ** 2
    potential = nnp.load(write_folder(tmp_path / "p", r26=square))
    weights = potential.models[0].network.weights[0]
    assert (np.abs(weights).sum(axis=1) == 0).sum() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"r16": "Others"}, "basis 'Others': Behler2011 and Chebyshev are known"),
        ({"r16": "Chebyshev"}, "its basis 4|has 5 functions, its basis|order"),
        (
            {"r13": ("Ti", "O")},
            r"environment \(Ti O\) lists the elements in another .*\(O Ti\)",
        ),
        ({"r6": (1, 5, 0)}, "activation 5 is not one of ænet's"),
        ({"r11": "C"}, "'C' is not among its elements O Ti"),
        ({"r29": 0.0}, r"the scale of energies is 0\.0"),
        ({"r29": np.nan}, "numbers that are not finite"),
        ({"r17": 10**9}, "the number of functions is 1000000000: no ænet potential"),
        ({"r17": 4}, "bytes, .* are expected"),
        ({"r3": -5}, "a length is -5: no ænet potential"),
        ({"r19": [9, 2, 1, 5, 3]}, "function 1 is G9 of elements 1, 2: ænet has G1 to G5"),
        ({"r5": (5, 3, 2, 2)}, "its network has layers"),
        ({"r18": 5}, "5 parameters per function: 4 are expected"),
    ],
)
def test_files_that_cannot_be(tmp_path, changes, message):
    with pytest.raises(FileFormatError, match=message):
        nnp.load(write_folder(tmp_path / "p", **changes))


def test_files_that_do_not_belong_together(tmp_path):
    folder = write_folder(tmp_path / "p")
    with pytest.raises(FileFormatError, match="looks for Ti, for which there is no file"):
        nnp.load(folder / "O.nn")
    (folder / "O.nn-00042").write_bytes((folder / "O.nn").read_bytes())  # of an epoch
    with pytest.raises(FileFormatError, match=r"O\.nn-00042 looks for Ti"):
        nnp.load(folder / "O.nn-00042")
    assert nnp.load(folder).elements == nnp.load([folder / "O.nn-00042", folder / "Ti.nn"]).elements
    (folder / "O.old.nn").write_bytes((folder / "O.nn").read_bytes())
    with pytest.raises(FileFormatError, match=r"two files for one element \(O O Ti\): leave one"):
        nnp.load(folder)


@pytest.mark.parametrize("cut", [0, 3, 100, -1, -5, -40])
def test_cut_files(tmp_path, cut):
    folder = write_folder(tmp_path / "p")
    data = (folder / "O.nn").read_bytes()[:cut]
    (folder / "O.nn").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"O\.nn"):
        nnp.load(folder)
