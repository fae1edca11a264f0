"""The one-file model: nothing is lost, damage is noticed, a failed write leaves nothing behind."""

from __future__ import annotations

import copy
import io
import json
import pickle
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import nnp
from nnp.cutoffs import CutoffKind
from nnp.errors import FileFormatError, OptionError
from nnp.io.model import VERSION, from_bytes, to_bytes
from nnp.networks import Activation
from nnp.scaling import ScalingMode
from nnp.testing import random_potential, structures
from nnp.units import UnitSystem

PROVENANCE = {"source": "made up", "errors": {"rmse": 0.1, "sets": [1, 2]}, "note": "Å, µ, 水"}


@pytest.fixture(scope="module")
def potential():
    """Two elements, every family, every kind of cutoff."""
    made = random_potential(("O", "H"), seed=7, cutoff_kinds=tuple(CutoffKind))
    return replace(made, units=UnitSystem("bohr", "kcal/mol"), provenance=PROVENANCE)


@pytest.fixture(scope="module")
def small():
    """A file of a few hundred bytes, for damage at every place."""
    return random_potential(("Si",), 0, ("compact_radial",), activations=(Activation.TANH,))


def rewritten(potential, edit_header=None, **members):
    """A model file's bytes with a changed header, and members replaced (None: removed)."""
    with zipfile.ZipFile(io.BytesIO(to_bytes(potential))) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    if edit_header is not None:
        header = json.loads(content["header.json"])
        edit_header(header)
        content["header.json"] = json.dumps(header).encode()
    content |= members
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return buffer.getvalue()


def npy(array, allow_pickle=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


# ---- round trip -----------------------------------------------------------------------------


def test_nothing_is_lost(potential, tmp_path):
    potential.save(tmp_path / "model.nnp")
    read = nnp.load(tmp_path / "model.nnp")
    for name in ("energy_scale", "units", "provenance", "elements", "cutoff"):
        assert getattr(read, name) == getattr(potential, name)
    for got, wanted in zip(read.models, potential.models, strict=True):
        for name in ("symbol", "functions", "energy_offset"):
            assert getattr(got, name) == getattr(wanted, name)
        for name in ("mode", "target_min", "target_max"):
            assert getattr(got.scaling, name) == getattr(wanted.scaling, name)
        assert got.network.activations == wanted.network.activations
        pairs = [
            *zip(got.network.weights, wanted.network.weights, strict=True),
            *zip(got.network.biases, wanted.network.biases, strict=True),
            *(
                (getattr(got.scaling, n), getattr(wanted.scaling, n))
                for n in ("minimum", "maximum", "mean", "sigma")
            ),
        ]
        for ours, theirs in pairs:
            assert ours.dtype == np.float64
            assert ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("mode", ScalingMode)
@pytest.mark.parametrize("activation", Activation)
def test_every_mode_and_activation(mode, activation):
    made = random_potential(
        ("Si",), 1, ("radial", "radial_cosine"), activations=(activation,), mode=mode
    )
    read = from_bytes(to_bytes(made))
    assert read.models[0].scaling.mode is mode
    assert read.models[0].network.activations[0] is activation


@pytest.mark.parametrize("name", sorted(structures()))
def test_same_answers(potential, name):
    structure = structures(("O", "H"))[name]
    before = potential.evaluate(structure, "reference")
    after = from_bytes(to_bytes(potential)).evaluate(structure, "reference")
    np.testing.assert_array_equal(after.energies, before.energies)
    np.testing.assert_array_equal(after.forces, before.forces)


def test_equal_potentials_are_equal_files(potential, tmp_path):
    data = to_bytes(potential)
    assert to_bytes(copy.deepcopy(potential)) == data
    assert to_bytes(pickle.loads(pickle.dumps(potential))) == data  # noqa: S301
    assert to_bytes(from_bytes(data)) == data
    potential.save(tmp_path / "model.nnp")
    assert (tmp_path / "model.nnp").read_bytes() == data
    assert to_bytes(replace(potential, energy_scale=potential.energy_scale * (1 + 2**-52))) != data


def test_header_is_readable(potential):
    with zipfile.ZipFile(io.BytesIO(to_bytes(potential))) as archive:
        header = json.loads(archive.read("header.json"))
    assert (header["format"], header["version"]) == ("nnp-potential", VERSION)
    assert header["units"] == {"length": "bohr", "energy": "kcal/mol"}
    assert [element["symbol"] for element in header["elements"]] == ["H", "O"]


def test_fortran_order_and_float32_are_only_storage(small):
    weights = small.models[0].network.weights[0]
    data = rewritten(small, **{"Si/weights_0.npy": npy(np.asfortranarray(weights))})
    got = from_bytes(data).models[0].network.weights[0]
    np.testing.assert_array_equal(got, weights)
    assert got.flags.c_contiguous


def test_a_file_carries_its_units(small, tmp_path):
    small.save(tmp_path / "model.nnp")
    with pytest.raises(OptionError, match=r"units='metal' for .*carries its own units; leave it"):
        nnp.load(tmp_path / "model.nnp", units="metal")


# ---- damage ---------------------------------------------------------------------------------


def test_truncated_anywhere(small):
    data = to_bytes(small)
    for length in [*range(0, len(data), 5), len(data) - 1]:
        with pytest.raises(FileFormatError, match=r"m\.nnp is not a complete nnp model file"):
            from_bytes(data[:length], "m.nnp")


def test_flipped_bits_are_noticed_or_harmless(small):
    """Every byte of a file: an error, or the very same potential (dates and the like)."""
    data = to_bytes(small)
    rng = np.random.default_rng(0)
    noticed = 0
    for at in range(0, len(data), 2):
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.integers(8)
        try:
            read = from_bytes(bytes(damaged))
        except FileFormatError:
            noticed += 1
            continue
        assert to_bytes(read) == data
    assert noticed > 0.3 * len(data)


def overwrite(**values):
    return lambda header: header.update(values)


def edit_function(**values):
    return lambda header: header["elements"][0]["functions"][0].update(values)


HEADERS = [
    (overwrite(version=VERSION + 1), r"format version 3, this nnp reads up to 2: upgrade nnp"),
    (overwrite(version="1"), r"format version 1, this nnp reads up to 2"),
    (overwrite(format="other"), r"is not an nnp model file: its header names another format"),
    (lambda header: header.clear(), r"is not an nnp model file"),
    (lambda header: header.pop("units"), r"not a complete nnp model file: it lacks 'units'"),
    (overwrite(units={"length": "inch", "energy": "eV"}), r"unknown length unit 'inch'"),
    (overwrite(units={"length": "nm"}), r"inconsistent: .*energy"),
    (overwrite(energy_scale=float("nan")), r"energy_scale=nan: it must be positive and finite"),
    (overwrite(energy_scale=0), r"energy_scale=0\.0: it must be positive and finite"),
    (overwrite(energy_scale="one"), r"inconsistent: "),
    (overwrite(elements=[]), r"needs one model per element"),
    (overwrite(elements={"Si": 1}), r"inconsistent: "),
    (lambda header: header["elements"][0].update(symbol="Xx"), r"it lacks 'Xx/minimum'"),
    (lambda header: header["elements"][0].update(symbol="C"), r"it lacks 'C/minimum'"),
    (lambda header: header["elements"][0].update(energy_offset=float("inf")), r"offset .* inf"),
    (lambda header: header["elements"][0].update(activations=["q", "l"]), r"'q' is not a valid"),
    (
        lambda header: header["elements"][0].update(activations=["t"]),
        r"has 7 outputs: 1 is expected",
    ),
    (lambda header: header["elements"][0]["scaling"].update(mode="odd"), r"'odd' is not a valid"),
    (lambda header: header["elements"][0]["functions"].pop(), r"Si has 3 functions, scaling of 4"),
    (lambda header: header["elements"][0]["functions"].reverse(), r"not in canonical order"),
    (edit_function(family="Spherical"), r"unknown family 'Spherical': allowed are Radial, Rad"),
    (edit_function(neighbor="C"), r"looks for \['C'\], but the potential has only Si"),
    (edit_function(r_right="far"), r"r_right='far' of a symmetry function is not a finite number"),
    (edit_function(r_right=float("nan")), r"r_right=nan of a symmetry function is not a finite"),
    (edit_function(r_right=-1.0), r"r_right=-1\.0 must be positive"),
    (edit_function(core="p9"), r"'p9' is not a valid Core"),
    (edit_function(colour="red"), r"unexpected keyword argument 'colour'"),
]


@pytest.mark.parametrize(("edit", "message"), HEADERS)
def test_headers_that_cannot_be(tmp_path, edit, message):
    made = random_potential(("Si",), 0, ("compact_radial", "weighted_compact_radial"))
    made = replace(made, provenance={})
    path = tmp_path / "model.nnp"
    path.write_bytes(rewritten(made, edit))
    with pytest.raises(FileFormatError, match=rf"{re.escape(str(path))}.*{message}"):
        nnp.load(path)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Si/weights_0.npy": None}, r"it lacks 'Si/weights_0'"),
        ({"Si/sigma.npy": npy(np.ones(1))}, r"scaling sigma has shape \(1,\), not that of minimum"),
        ({"Si/sigma.npy": npy(np.full(2, np.nan))}, r"scaling sigma of function 1 is not finite"),
        ({"Si/biases_0.npy": npy(np.ones(6))}, r"layer 1 has weights \(2, 7\) and biases \(6,\)"),
        ({"Si/biases_0.npy": npy(np.full(7, np.inf))}, r"layer 1 has weights or biases that are"),
        ({"Si/biases_0.npy": npy(np.array(["x"] * 7))}, r"could not convert string to float"),
        ({"Si/biases_0.npy": npy(np.ones(7))[:-3]}, r"inconsistent: "),
        ({"Si/biases_0.npy": b"no array"}, r"inconsistent: "),
        ({"header.json": None}, r"is not a complete nnp model file"),
        ({"header.json": b"{"}, r"is not a complete nnp model file"),
        ({"header.json": b"\xff\xfe"}, r"is not a complete nnp model file"),
        ({"header.json": b"[]"}, r"is not an nnp model file: its header names another format"),
    ],
)
def test_members_that_cannot_be(small, members, message):
    with pytest.raises(FileFormatError, match=rf"m\.nnp.*{message}"):
        from_bytes(rewritten(small, **members), "m.nnp")


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_pickles_are_refused_unopened(small, tmp_path):
    array = np.array([Bomb(str(tmp_path / "ran"))], dtype=object)
    data = rewritten(small, **{"Si/weights_0.npy": npy(array, allow_pickle=True)})
    with pytest.raises(FileFormatError, match="allow_pickle=False"):
        from_bytes(data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"not a zip at all", pickle.dumps({"a": 1}), bytes(1000)]
)
def test_other_files(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    message = r"m is not a complete nnp model file .* something else; an n2p2 potential is given as"
    with pytest.raises(FileFormatError, match=message):
        nnp.load(tmp_path / "m")


def test_numpy_archives_are_not_models(tmp_path):
    np.savez(tmp_path / "m.npz", a=np.ones(3))
    with pytest.raises(FileFormatError, match=r"not a complete nnp model file \(.*header\.json"):
        nnp.load(tmp_path / "m.npz")
