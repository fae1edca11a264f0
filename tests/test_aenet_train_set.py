"""ænet's training sets: read as data, and in the place of generate.in."""

from __future__ import annotations

import re
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from nnp.errors import FileFormatError
from nnp.io.aenet.setup import read_setup
from nnp.io.aenet.train_set import read_train_set
from nnp.io.structures import read
from nnp.io.structures.folders import read_many
from nnp.train import read_settings
from nnp.train.data.sets import read_data

ATOMIC = {"Ti": -1604.604515075, "O": -432.503149303}


@pytest.fixture
def known(reference_data, tmp_path):
    """generate.x's own output with the structures that it read."""
    folder = tmp_path / "set"
    shutil.copytree(reference_data / "aenet" / "trainset-2el", folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


@pytest.mark.parametrize("name", ["small.train", "small.train.ascii", "small.train.scaled"])
def test_known_training_sets(known, name):
    found = read_train_set(known / name)
    assert found.energies == ATOMIC
    assert len(found.entries) == 12
    for symbol, setup in found.setups.items():
        wanted = read_setup(known / f"{symbol}.stp").functions(("O", "Ti"))
        assert setup.functions(("O", "Ti")) == wanted
    for entry in found.entries:
        (atoms,) = read(known / entry.file).frames
        off = sum(ATOMIC[symbol] for symbol in atoms.symbols)
        assert entry.energy == pytest.approx(atoms.get_potential_energy() - off, abs=1e-8)
        np.testing.assert_allclose(entry.forces, atoms.get_forces(), atol=1e-12)
    read_as_data = read(known / name)
    assert "ænet's training set" in read_as_data.line
    for atoms, entry in zip(read_as_data.frames, found.entries, strict=True):
        (wanted,) = read(known / entry.file).frames
        assert atoms == wanted
        assert atoms.get_potential_energy() == wanted.get_potential_energy()


def changed(text, pattern, change):
    line = re.search(pattern, text, re.MULTILINE)
    return text.replace(line.group(), change(line.group()), 1)


def test_files_that_are_others_now(known):
    path = known / "small.train"
    one = known / "structure1444.xsf"
    text = one.read_text()
    one.write_text(text.replace("Ti", "Zr"))
    with pytest.raises(FileFormatError, match=r"structure1444\.xsf has other atoms"):
        read(path)
    one.write_text(changed(text, r"^Ti\s+\S+", lambda found: f"{found}1"))
    read(path)  # less than a millionth
    one.write_text(
        changed(text, r"^Ti\s+\d+\.\d", lambda found: f"{found[:-1]}{9 - int(found[-1])}")
    )
    with pytest.raises(FileFormatError, match="other positions than when the set was made"):
        read(path)
    one.write_text(changed(text, r"energy\s*=\s*-\d", lambda found: f"{found}1"))
    with pytest.raises(FileFormatError, match="another energy than when the set was made"):
        read(path)
    one.unlink()
    with pytest.raises(FileFormatError, match=r"1444\.xsf does not exist, and .* holds no cells"):
        read(path)


def test_sets_that_cannot_be(known):
    with pytest.raises(FileFormatError, match=r"forces holds derivatives .* give small\.train$"):
        read(known / "small.train.forces")
    data = (known / "small.train").read_bytes()
    (known / "cut.train").write_bytes(data[:-100])
    with pytest.raises(FileFormatError, match="bytes more: it is cut or damaged"):
        read(known / "cut.train")
    at = data.index(b"structure1100.xsf") + len("structure1100.xsf") + 4 + 16 + 16
    assert struct.unpack("<3i", data[at : at + 12]) == (4, 1, 4)
    (known / "types.train").write_bytes(data[: at + 4] + struct.pack("<i", 7) + data[at + 8 :])
    with pytest.raises(FileFormatError, match=r"an atom of structure1100\.xsf has type 7 of 2"):
        read(known / "types.train")
    lines = (known / "small.train.ascii").read_text().splitlines()
    (known / "cut.train.ascii").write_text("\n".join(lines[:100]))
    with pytest.raises(FileFormatError, match="ends too early"):
        read(known / "cut.train.ascii")


def test_folder_reads_the_files_once(known):
    readings = read_many([known])
    assert sum(len(reading.frames) for reading in readings.read) == 12
    assert any("only name other files" in line for line in readings.left_out)


def settings_of(folder):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*becomes (L-BFGS|one epoch)")
        return read_settings(folder / "train.in")


def test_training_set_in_place_of_generate_in(known):
    (known / "train.in").write_text(
        (known / "train.in").read_text().replace("TESTPERCENT 0", "TESTPERCENT 25")
    )
    first = settings_of(known)
    (known / "generate.in").unlink()
    second = settings_of(known)
    assert second.data == first.data
    assert second.functions.setups == dict.fromkeys(ATOMIC, str(known / "small.train"))
    (known / "small.train").unlink()
    with pytest.raises(FileFormatError, match=r"generate\.in is missing, and so is .*small\.train"):
        settings_of(known)


def test_test_set_of_an_earlier_run(known):
    text = (known / "train.in").read_text().replace("TESTPERCENT 0", "TESTPERCENT 25")
    (known / "train.in").write_text(text)
    head, *rows = (known / "energies.train.0").read_text().splitlines()
    names = [row.split()[-1] for row in rows]
    own = settings_of(known).data.split.indices
    wanted = [number for number in range(12) if number not in own][:3]
    for chosen, taken in ((wanted, True), (wanted[:2], False)):
        lines = [head, *(rows[number] for number in chosen)]
        (known / "energies.test.0").write_text("\n".join(lines))
        if taken:
            with pytest.warns(UserWarning, match=r"the test set is that of energies\.test\.0"):
                found = settings_of(known)
            order = [path.rsplit("/", 1)[-1] for path in found.data.train]
            assert [order[k] for k in found.data.split.indices] == [names[k] for k in wanted]
        else:
            assert settings_of(known).data.split.indices == own


@pytest.mark.filterwarnings("ignore:.*METHOD adamw becomes")
@pytest.mark.parametrize("percent", ["100", "10"])
def test_split_of_aenet_pytorch(known, percent):
    """As energies.test of its run with this seed; where forces are of a part, drawn otherwise."""
    generate = (known / "generate.in").read_text()
    (known / "generate.in").write_text(
        generate.replace("FORCESPERCENT 10", f"FORCESPERCENT {percent}")
    )
    text = (
        "TRAININGSET small.train\nTESTPERCENT 30\nITERATIONS 1\nNPSEED 5\nFORCES\nalpha=0.1\n"
        "METHOD\nmethod=adamw lr=0.0001\nNETWORKS\nTi Ti.nn 1 5:tanh\nO O.nn 1 5:tanh\n"
    )
    (known / "train.in").write_text(text)
    found = settings_of(known)
    names = {Path(found.data.train[k]).stem for k in found.data.split.indices}
    drawn = {"structure1573", "structure1560", "structure1140"}
    assert (names == drawn) == (percent == "100")
    assert len(names) == 3


@pytest.mark.filterwarnings("ignore:.*METHOD adamw becomes", "ignore:.*left out is")
def test_keywords_of_aenet_pytorch(known):
    text = (
        "TRAININGSET small.train.ascii\nTESTPERCENT 10\nITERATIONS 500\nITERWRITE 1\n"
        "BATCHSIZE 128\nNPSEED 1\nPHSEED 2\nFORCES\nalpha=0.1\nMAXFORCES 2.0\n"
        "MEMORY_MODE cpu\nSAVE_ENERGIES\nSAVE_FORCES\nVERBOSE\nMETHOD\n"
        "method=adamw   lr=0.0001\nREGULARIZATION 0.001\nNETWORKS\n"
        "Ti Ti.pytorch.nn 2 5:tanh 5:tanh\nO O.pytorch.nn 2 5:tanh 5:tanh\n"
    )
    (known / "train.in").write_text(text)
    found = settings_of(known)
    assert (found.optimizer.kind, found.optimizer.batch, found.run.seed) == ("adamw", 128, 2)
    assert found.optimizer.gradient.weight_decay == 0.001
    assert len(found.data.train) == 12
    train, held_out = read_data(found.data)
    known_forces = [frame.forces is not None for frame in (*train, *held_out)]
    largest = [np.abs(read(path).labels[0].forces).max() for path in found.data.train]
    assert sum(known_forces) == sum(np.array(largest) <= 2.0)
    assert 0 < sum(known_forces) < 12
    assert all(frame.energy is not None for frame in (*train, *held_out))
    (known / "train.in").write_text(text.replace("BATCHSIZE 128\n", ""))
    assert settings_of(known).optimizer.batch == 256
