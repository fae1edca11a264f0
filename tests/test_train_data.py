"""Data sets, their checks and splits, generated functions, pruning, settings files."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from train_data import dataset, settings

from nnp.errors import FileFormatError, OptionError, StructureError
from nnp.io.structures import write_structures
from nnp.structure import Structure
from nnp.train.config.read import read_settings
from nnp.train.config.tables import from_table
from nnp.train.data.baseline import reference_energies
from nnp.train.data.checks import check
from nnp.train.data.dataset import Dataset, LabelKeys
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.sets import (
    DataSettings,
    SplitSettings,
    blocks_of,
    part,
    read_data,
    split,
)
from nnp.train.fit.settings import to_table
from nnp.train.fit.task import build
from nnp.units import ATOMIC, METAL


def atoms(n=3, **results):
    made = Atoms("H" * n, positions=[[1.1 * i, 0, 0] for i in range(n)], cell=[9] * 3, pbc=True)
    if results:
        made.calc = SinglePointCalculator(made, **results)
    return made


# ---- reading --------------------------------------------------------------------------------


def test_labels_come_from_the_calculator(tmp_path):
    forces, stress = np.arange(9.0).reshape(3, 3), np.arange(6.0)
    labelled = atoms(energy=-3.0, forces=forces, stress=stress)
    labelled.info |= {"group": "melt", "weight": 2.5}
    ase.io.write(tmp_path / "a.extxyz", [labelled, atoms()])
    found = Dataset.read(tmp_path / "a.extxyz")
    assert len(found) == 2
    first, second = found
    assert first.energy == -3.0
    np.testing.assert_allclose(first.forces, forces)
    np.testing.assert_allclose(first.stress, stress, atol=1e-8)
    assert (first.group, first.weight) == ("melt", 2.5)
    assert (second.energy, second.forces, second.stress) == (None, None, None)
    assert "a.extxyz, structure 1" in second.where
    assert "2 structures, 6 atoms of H; labels: 1 energy, 1 forces, 1 stress" in found.summary()


def test_labels_under_other_keys():
    made = atoms()
    made.info |= {"dft_energy": -1.0, "virial": np.arange(9.0).reshape(3, 3)}
    made.arrays["dft_forces"] = np.ones((3, 3))
    keys = LabelKeys(energy="dft_energy", forces="dft_forces", virial="virial")
    (found,) = Dataset.from_atoms([made], keys)
    assert found.energy == -1.0
    assert found.forces.sum() == 9
    # −W/V with (W_yz + W_zy)/2 = 6 and V = 729
    np.testing.assert_allclose(found.stress, -np.array([0, 4, 8, 6, 4, 2]) / 729)


@pytest.mark.parametrize("name", ["energy", "forces", "stress", "virial", "group", "weight"])
def test_a_key_that_no_structure_has_is_named(tmp_path, name):
    made = atoms(energy=-2.0)
    made.info["dft_energy"] = -1.0
    keys = LabelKeys(**{name: "dft_enrgy"})
    message = f"has 'dft_enrgy', named as the key of {name}; there are: dft_energy, energy"
    with pytest.raises(OptionError, match=message):
        Dataset.from_atoms([atoms(), made], keys)
    ase.io.write(tmp_path / "a.extxyz", [atoms(), made])
    with pytest.raises(OptionError, match=message):
        Dataset.read(tmp_path / "a.extxyz", keys)
    data = DataSettings((str(tmp_path / "a.extxyz"),), keys=keys)
    with pytest.raises(OptionError, match=message):
        read_data(data)


def test_one_structure_with_the_key_is_enough(tmp_path):
    for file, key in (("a.extxyz", "dft_energy"), ("b.extxyz", "other")):
        made = atoms()
        made.info[key] = -1.0
        ase.io.write(tmp_path / file, [atoms(), made])
    paths, keys = [tmp_path / "a.extxyz", tmp_path / "b.extxyz"], LabelKeys("dft_energy")
    assert [f.energy for f in Dataset.read(paths, keys)] == [None, -1.0, None, None]
    data = DataSettings((str(paths[0]),), (str(paths[1]),), keys=keys)
    assert [len(part) for part in read_data(data)] == [2, 2]


@pytest.mark.parametrize(
    ("file", "units", "wanted"),
    [("input.data", None, ATOMIC), ("input.data", "metal", METAL), ("a.extxyz", None, METAL)],
)
def test_a_potential_keeps_the_units_of_the_input_data_it_learned_from(
    tmp_path, file, units, wanted
):
    write_structures([atoms(energy=-1.0, forces=np.zeros((3, 3)))], tmp_path / file)
    data = DataSettings((str(tmp_path / file),), units=units, split=SplitSettings(fraction=0.0))
    built = build(settings(data=data), dataset(), Dataset(()), quiet=True)
    assert built.model.template.units == wanted


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"energy": np.nan}, "structure 1: its energy is not finite"),
        ({"forces": np.zeros((2, 3))}, r"structure 1: its forces has shape \(2, 3\)"),
        ({"forces": np.full((3, 3), np.inf)}, "structure 1: its forces is not finite"),
        ({"stress": np.zeros(5)}, r"structure 1: its stress has shape \(5,\): \(6,\)"),
    ],
)
def test_bad_labels_name_the_structure(results, message):
    made = atoms()
    made.calc = SinglePointCalculator(made)
    made.calc.results = results
    with pytest.raises(StructureError, match=message):
        Dataset.from_atoms([atoms(energy=0.0), made])


XSF = """# total energy = -12.5 eV

CRYSTAL
PRIMVEC
  9.0 0.0 0.0
  0.0 9.0 0.0
  0.0 0.0 9.0
PRIMCOORD
  2 1
H  0.0 0.0 0.0  0.1 0.0 0.0
H  0.0 0.0 1.1 -0.1 0.0 0.0
"""


def test_energy_and_forces_of_an_aenet_xsf(tmp_path):
    (tmp_path / "a.xsf").write_text(XSF)
    (found,) = Dataset.read(tmp_path / "a.xsf")
    assert found.energy == -12.5
    # ASE's hartree and ours are of different CODATA years
    np.testing.assert_allclose(found.forces, [[0.1, 0, 0], [-0.1, 0, 0]], rtol=1e-7)
    (tmp_path / "b.xsf").write_text(XSF.replace("# total", "# no"))
    assert Dataset.read(tmp_path / "b.xsf")[0].energy is None


@pytest.mark.parametrize("name", ["a.traj", "a.db", "a.json"])
def test_formats_of_ase(tmp_path, name):
    labelled = atoms(energy=-3.0, forces=np.ones((3, 3)))
    ase.io.write(tmp_path / name, labelled)
    (found,) = Dataset.read(tmp_path / name)
    assert found.energy == -3.0
    np.testing.assert_allclose(found.forces, 1.0)


def test_negative_weight():
    made = atoms(energy=0.0)
    made.info["weight"] = -1.0
    with pytest.raises(OptionError, match=r"structure 0: weight -1\.0"):
        Dataset.from_atoms([made])


# ---- checks ---------------------------------------------------------------------------------


def test_good_data_passes():
    assert check(dataset(count=12)) == []


def test_no_structures_and_no_labels():
    with pytest.raises(StructureError, match="holds no structure"):
        check(Dataset(()))
    bare = tuple(replace(f, energy=None, forces=None, stress=None) for f in dataset())
    with pytest.raises(StructureError, match="neither energy nor forces"):
        check(Dataset(bare))


def test_weights_that_are_all_zero_are_an_error():
    data = dataset()
    nothing = [replace(frame, weight=0.0) for frame in data]
    with pytest.raises(StructureError, match="structure 0 and the others have the weight 0"):
        check(Dataset(tuple(nothing)))
    check(Dataset((data[0], *nothing[1:])))


def test_close_atoms_are_an_error():
    near = Structure([[0, 0, 0], [0, 0, 0.2]], [1, 1], np.zeros((3, 3)), False)
    with pytest.raises(StructureError, match=r"here: atoms 0 and 1 are 0\.200 Å apart"):
        check(Dataset((LabelledStructure(near, 0.0, where="here"),)))


NOTHING = "nothing can be learned from it"


def test_findings_name_the_structure():
    frames = list(dataset(count=12))
    frames[3] = replace(frames[2], where="copy")
    frames[5] = replace(frames[5], forces=frames[5].forces + 0.5, where="pulled")
    frames[7] = replace(frames[7], energy=frames[7].energy + 1000.0, where="far")
    found = [str(finding) for finding in check(Dataset(tuple(frames)))]
    assert any(f.startswith("copy: the same atoms as teacher, structure 2") for f in found)
    assert any(f.startswith("pulled: the forces do not sum to zero: 0.500") for f in found)
    assert any(f.startswith("far: its energy lies") for f in found)
    assert len(found) == 3


def test_structures_without_labels_are_listed():
    frames = list(dataset(count=3))
    frames[1] = replace(frames[1], energy=None, forces=None, stress=None)
    (found,) = check(Dataset(tuple(frames)))
    assert str(found) == "teacher, structure 1: neither energy nor forces nor stress: " + NOTHING


def test_forces_that_are_all_zero_are_listed_once():
    frames = [replace(f, forces=0 * f.forces) for f in dataset(count=3)] + [*dataset(count=4)][3:]
    (found,) = check(Dataset(tuple(frames)))
    assert "structure 0: every force is exactly zero, as in 3 of 4 structures" in str(found)
    atom = Structure(np.zeros((1, 3)), [14], np.zeros((3, 3)), False)
    lone = check(Dataset((LabelledStructure(atom, -1.0, np.zeros((1, 3))),)))
    assert [finding.kind for finding in lone] == ["isolated"]


def test_an_outlier_among_few():
    frames = list(dataset(count=5))
    frames[4] = replace(frames[4], energy=frames[4].energy + 1000.0)
    assert len(check(Dataset(tuple(frames)))) == 1
    assert not check(Dataset(tuple(frames[1:])))


def test_training_and_validation_are_checked_together():
    """A structure in both would make a fit look better than it is."""
    data = dataset(count=4)
    copy = replace(data[1], where="held out")
    task = build(settings(), data, Dataset((copy,)), quiet=True)
    assert [str(f) for f in task.findings] == ["held out: the same atoms as teacher, structure 1"]
    bare = Dataset((replace(copy, energy=None, forces=None, stress=None),))
    with pytest.raises(StructureError, match="held out and the others have neither"):
        build(settings(), data, bare, quiet=True)


# ---- splits and offsets ---------------------------------------------------------------------


def test_split_keeps_every_structure_once():
    data = dataset(count=12)
    train, held_out = split(data, SplitSettings(fraction=0.34, seed=1))
    assert sorted(f.where for f in (*train, *held_out)) == sorted(f.where for f in data)
    assert held_out.groups == {"even": 2, "odd": 2}
    again, other = (split(data, SplitSettings(0.34, seed=s))[1] for s in (1, 2))
    assert [f.where for f in again] == [f.where for f in held_out]
    assert [f.where for f in other] != [f.where for f in held_out]


def test_neighbours_in_a_trajectory_stay_together():
    """30 frames that move a little, then 20 structures that have nothing to do with each other."""
    rng = np.random.default_rng(0)
    start = 10 * rng.random((4, 3))
    moves = np.cumsum(0.05 * rng.normal(size=(30, 4, 3)), axis=0)
    places = [*(start + moves), *(10 * rng.random((20, 4, 3)))]
    frames = [Atoms("H4", place % 10, cell=[10] * 3, pbc=True) for place in places]
    data = Dataset.from_atoms(frames)
    blocks = blocks_of(data, range(50))
    assert blocks == [[k, k + 1, k + 2] for k in range(0, 30, 3)] + [[k] for k in range(30, 50)]
    train, held_out = split(data, SplitSettings(fraction=0.3, blocks=True))
    assert (len(train), len(held_out)) == (35, 15)
    kept = {tuple(frame.structure.positions[0]) for frame in held_out}
    numbers = [i for i, frame in enumerate(data) if tuple(frame.structure.positions[0]) in kept]
    assert all({k, k + 1, k + 2} <= set(numbers) for k in range(0, 30, 3) if k in numbers)
    assert any(number < 30 for number in numbers)
    few = split(data.subset(range(30)), SplitSettings(fraction=0.05, blocks=True))[1]
    assert len(few) == 2  # part of a block rather than none


def test_split_by_group_and_index():
    data = dataset(count=6)
    _, held_out = split(data, SplitSettings(groups=("odd",), indices=(0,)))
    assert [f.where[-1] for f in held_out] == ["0", "1", "3", "5"]
    with pytest.raises(OptionError, match="no structure is in group 'melt'"):
        split(data, SplitSettings(groups=("melt",)))
    with pytest.raises(OptionError, match="structures 0 to 5"):
        split(data, SplitSettings(indices=(6,)))
    with pytest.raises(OptionError, match="no structure to train on"):
        split(data, SplitSettings(groups=("odd", "even")))


def test_numbers_of_a_split_count_the_structures_that_were_read():
    """Whatever is left out before."""
    data = dataset(count=6)
    read = Dataset((data[0], data[0], *data.frames[1:]))
    chosen = SplitSettings(indices=(1, 3, 6))
    train, held_out = part(DataSettings(("a",), split=chosen, drop=("duplicate",)), read)
    assert [f.where[-1] for f in held_out] == ["2", "5"]
    assert [f.where[-1] for f in train] == ["0", "1", "3", "4"]
    with pytest.raises(OptionError, match="structures 0 to 6"):
        part(DataSettings(("a",), split=SplitSettings(indices=(7,)), drop=("duplicate",)), read)


def test_reference_energies_solve_least_squares():
    frames = []
    for count in (1, 2, 5):
        numbers = [1] * 4 + [8] * count
        s = Structure(
            np.arange(3.0 * len(numbers)).reshape(-1, 3), numbers, np.zeros((3, 3)), False
        )
        frames.append(LabelledStructure(s, 4 * -0.5 + count * -3.0))
    data = Dataset(tuple(frames))
    assert reference_energies(data, ("H", "O")) == pytest.approx({"H": -0.5, "O": -3.0})
    given = reference_energies(data, ("H", "O"), {"H": -0.5})
    assert given == pytest.approx({"H": -0.5, "O": -3.0})
    with pytest.raises(OptionError, match="'C': allowed are H, O"):
        reference_energies(data, ("H", "O"), {"C": 0.0})


# ---- settings -------------------------------------------------------------------------------

BAD_TABLES = {
    "[data]\ntrain='a'\n[network]\nhiden=[3]": "network.hiden is unknown: did you mean 'hidden'",
    "[data]\ntrain='a'\n[netwrk]\n": "netwrk is unknown: did you mean 'network'",
    "[network]\nhidden=[3]": "data is missing",
    "[data]\ntrain='a'\n[network]\nhidden=['x']": r"network.hidden\[0\] = 'x' must be a whole",
    "[data]\ntrain='a'\n[run]\nepochs=true": "run.epochs = True must be a whole number",
    "[data]\ntrain='a'\n[run]\nepochs=0": r"\[run\]: epochs = 0: 1 or more",
    "[data]\ntrain='a'\n[loss]\nkind='l1'": "loss.kind = 'l1': allowed are 'mse', 'huber'",
    "[data]\ntrain='a'\n[loss]\nenergy=-1": r"\[loss\]: loss energy = -1.0 must not be negative",
    "[data]\ntrain='a'\n[optimizer]\nkind='adm'": "kind 'adm': allowed are auto, kalman",
    "[data]\ntrain='a'\n[optimizer.kalman]\nnoise=0": "kalman noise = 0.0 must be positive",
    "[data]\ntrain='a'\n[functions.prune]\nthreshold=2": "must be in",
    "[data]\ntrain='a'\n[functions.prune]\nrarest=0.5": r"rarest = 0.5 must be in \[0, 1/3\)",
    "[data]\ntrain='a'\n[committee]\nmembers=3\nhidden=[[3],[4]]": "members = 3 with hidden",
    "[data]\ntrain='a'\n[committee]\nhidden=[[3],[4,4]]": "the same number of hidden layers",
    "[data]\ntrain='a'\n[committee]\nhidden=[[-1],[4]]": "at least one neuron per layer",
    "[data]\ntrain='a'\n[network]\nhidden=[0]": r"hidden = \[0\]: at least one neuron",
    "[data]\ntrain='a'\n[network.elements.Sii]\nhidden=[3]": "'Sii' is not the symbol",
    "[data]\ntrain='a'\n[data.split]\nseed=-1": "seed of the split=-1: a whole number from 0",
    "[data]\ntrain='a'\n[run]\nkeep_every=0": "keep_every = 0: 1 or more",
    "[data]\ntrain='a'\n[run]\nthreads=5000000000": "threads = 5000000000: 1 to 4096",
    "[data]\ntrain='a'\n[run]\nmax_time=inf": "run.max_time = inf must be a finite number",
    "[data]\ntrain='a'\n[loss]\nenergy=1" + 400 * "0": r"loss.energy = 10+… must be a finite",
    "[data]\ntrain='a'\n[inputs]\ntarget_max=nan": "inputs.target_max = nan must be a finite",
    "[data]\ntrain='a'\n[optimizer.kalman]\nnoise_decay=-1": "noise_decay = -1.0 must be 0 or more",
    "[data]\ntrain='a'\n[optimizer.kalman]\nthreshold=-1": "threshold = -1.0 must be 0 or more",
    "[data]\ntrain='a'\n[optimizer.gradient]\nweight_decay=-1": "weight_decay = -1.0 must be 0",
    "[data]\ntrain='a'\n[functions.generate]\nfamily=3": "family = 3 must be text: allowed are",
    "[data]\ntrain='a'\n[data.Keys]\n": "data.Keys is unknown: did you mean 'keys'",
    "[data]\nTRAIN='a'": "data.TRAIN is unknown: did you mean 'train'",
    "epochs=3\n[data]\ntrain='a'": "epochs is unknown: did you mean run.epochs",
    "[data]\ntrain='a'\n[optimizer]\nrate=1": "did you mean optimizer.gradient.rate",
    "data = 3": r"\[data\] must be a table",
    "[data\n": "not valid TOML",
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_bad_settings(tmp_path, text):
    path = tmp_path / "fit.toml"
    path.write_text(text)
    with pytest.raises((OptionError, FileFormatError), match=BAD_TABLES[text]) as error:
        read_settings(path)
    assert "fit.toml" in str(error.value)


def test_settings_survive_a_round_trip(tmp_path):
    chosen = settings(tmp_path)
    assert from_table(type(chosen), to_table(chosen), "") == chosen


def test_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "fit.toml"
    path.write_text("[data]\ntrain = ['a', 'b']\n[run]\noutput = 'here'")
    found = read_settings(path)
    assert found.data.train == (str(tmp_path / "a"), str(tmp_path / "b"))
    assert found.run.output == str(tmp_path / "here")
    with pytest.raises(FileFormatError, match="cannot read"):
        read_settings(tmp_path / "none.toml")


def test_unknown_element_of_the_validation_set():
    with pytest.raises(StructureError, match=r"structure 0 \(validation\) has \['H', 'O'\]"):
        build(settings(), dataset(), dataset(("H", "O")), quiet=True)
