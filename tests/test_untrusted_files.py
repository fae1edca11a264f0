"""Files from strangers: no code runs, nothing is unpacked that no honest file holds."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from ase.io import write

import nnp
from nnp.cli import main
from nnp.errors import FileFormatError, OptionError
from nnp.io import archive
from nnp.io.model import from_bytes, to_bytes
from nnp.networks import Activation
from nnp.testing import random_potential

MIB = 2**20


@pytest.fixture(scope="module")
def small():
    return random_potential(("Si",), 0, ("compact_radial",), activations=(Activation.TANH,))


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        return {name: found.read(name) for name in found.namelist()}


def packed(members):
    """A zip of files; bytes, or a function that writes into the open member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, content in members.items():
            if callable(content):
                with made.open(name, "w", force_zip64=True) as member:
                    content(member)
            else:
                made.writestr(name, content)
    return buffer.getvalue()


def zeros(n_bytes):
    def write_zeros(member):
        for _ in range(n_bytes // MIB):
            member.write(bytes(MIB))

    return write_zeros


def npy_header(shape, descr="<f8"):
    """The beginning of a .npy of this shape, and nothing of its content."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def refused_without_memory(data, message):
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=message):
            from_bytes(data, "m.nnp")
        assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    finally:
        tracemalloc.stop()


# ---- bombs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["Si/weights_0.npy", "header.json", "readme"])
def test_what_would_unpack_to_far_more_than_the_file(small, where):
    data = packed(members_of(to_bytes(small)) | {where: zeros(300 * MIB)})
    assert len(data) < 2 * MIB
    refused_without_memory(data, r"m\.nnp would unpack to 300 MiB, 64 MiB are allowed .* set NNP_M")


def test_the_limit_can_be_raised(small, monkeypatch):
    data = packed(members_of(to_bytes(small)) | {"Si/weights_0.npy": zeros(80 * MIB)})
    monkeypatch.setenv(archive.LIMIT, "100")
    with pytest.raises(FileFormatError, match="inconsistent"):  # read, and no array
        from_bytes(data)
    monkeypatch.setenv(archive.LIMIT, "a lot")
    with pytest.raises(FileFormatError, match=r"NNP_MAX_UNPACKED_MIB='a lot' .* whole number"):
        from_bytes(data)


@pytest.mark.parametrize("shape", [(2**40,), (2**20, 2**20), (2**31, 2**31, 4), (10**30,), (-1,)])
def test_networks_of_sizes_that_are_not_there(small, shape):
    content = npy_header(shape)
    data = packed(members_of(to_bytes(small)) | {"Si/weights_0.npy": content})
    refused_without_memory(data, r"m\.nnp: .*Si/weights_0\.npy of shape .*cut off or forged")


def test_many_members_that_each_are_small_enough(small):
    """60 MiB each, and a hundred of them: the sum counts, whatever they are packed into."""
    inner = packed(members_of(to_bytes(small)) | {"x": zeros(60 * MIB)})
    header = {"format": "nnp-committee", "version": 1, "members": 100, "provenance": {}}
    members = {f"member_{k}.nnp": inner for k in range(100)}
    data = packed({"header.json": json.dumps(header)} | members)
    refused_without_memory(data, r"m\.nnp would unpack to 60\d\d MiB")


def test_committees_do_not_nest(small):
    committee = to_bytes(nnp.Committee.of([small, small]))
    members = members_of(committee)
    for _ in range(3):
        members["member_1.nnp"] = packed(members)
    with pytest.raises(FileFormatError, match=r"m\.nnp, member_1\.nnp is a committee: .*not nest"):
        from_bytes(packed(members), "m.nnp")


@pytest.mark.parametrize("count", [10**9, 3, 1, -1, "2", None, 2.5])
def test_members_that_are_counted_wrong(small, count):
    members = members_of(to_bytes(nnp.Committee.of([small, small])))
    header = json.loads(members["header.json"]) | {"members": count}
    members["header.json"] = json.dumps(header).encode()
    refused_without_memory(packed(members), r"m\.nnp says it has .* members and holds 2")


def test_names_that_are_in_it_twice(small):
    buffer = io.BytesIO(to_bytes(small))
    with zipfile.ZipFile(buffer, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("header.json", "{}")
    with pytest.raises(FileFormatError, match=r"m\.nnp: header\.json is in it twice"):
        from_bytes(buffer.getvalue(), "m.nnp")


def test_arrays_that_the_header_does_not_speak_of(small):
    data = packed(members_of(to_bytes(small)) | {"Si/weights_9.npy": npy_header((0,))})
    with pytest.raises(FileFormatError, match=r"holds Si/weights_9\.npy, which its header"):
        from_bytes(data)


def test_a_size_that_the_directory_understates(small):
    """The zip says 10 bytes; what is behind it would be a hundred MiB."""
    data = bytearray(packed(members_of(to_bytes(small)) | {"Si/weights_0.npy": zeros(100 * MIB)}))
    at = data.rfind(b"PK\x01\x02")
    while data[at + 46 : at + 46 + 16] != b"Si/weights_0.npy":
        at = data.rfind(b"PK\x01\x02", 0, at)
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    data[at + 16 : at + 20] = struct.pack("<I", zlib.crc32(bytes(10)))
    refused_without_memory(bytes(data), "m.nnp")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"provenance": []}, "provenance is .*: a table is expected"),
        ({"provenance": "x" * 10**6}, "provenance is '.{50}': a table is expected"),
        ({"energy_scale": 10**400}, "inconsistent"),
        ({"elements": [None]}, "inconsistent"),
        ({"units": ["a"]}, "inconsistent"),
        ({"version": [1]}, "format version"),
    ],
)
def test_headers_of_other_shapes(small, edit, message):
    members = members_of(to_bytes(small))
    members["header.json"] = json.dumps(json.loads(members["header.json"]) | edit).encode()
    with pytest.raises(FileFormatError, match=message) as caught:
        from_bytes(packed(members))
    assert len(str(caught.value)) < 500


def test_a_header_of_brackets(small):
    members = members_of(to_bytes(small)) | {"header.json": b"[" * 10**6}
    with pytest.raises(FileFormatError, match="not a complete nnp model file"):
        from_bytes(packed(members))


@pytest.mark.parametrize("descr", ["|O", "<c16", "<U4", "<M8[s]", "|V8"])
def test_arrays_of_other_kinds(small, descr):
    content = npy_header((1,), descr) + bytes(np.dtype(descr).itemsize)
    data = packed(members_of(to_bytes(small)) | {"Si/weights_0.npy": content})
    with pytest.raises(FileFormatError, match=r"allow_pickle=False|could not convert"):
        from_bytes(data)


def test_pipes_are_not_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "m.nnp")
    with pytest.raises(FileFormatError, match="is a pipe or a device: give a file"):
        nnp.load(tmp_path / "m.nnp")


# ---- code in XML ----------------------------------------------------------------------------

FLAG = "ran.txt"


class Evil:
    """Unpickling it makes a file."""

    def __reduce__(self):
        return (open, (FLAG, "w"))

    def __call__(self, *_):
        raise AssertionError


def evil_system():
    openmm = pytest.importorskip("openmm")
    system = openmm.System()
    system.addParticle(28.0)
    system.addForce(openmm.PythonForce(Evil()))
    return openmm.XmlSerializer.serialize(system)


def plain_system():
    openmm = pytest.importorskip("openmm")
    system = openmm.System()
    system.addParticle(28.0)
    force = openmm.CustomExternalForce("x^2+f(y)")
    force.addParticle(0, [])
    system.addForce(force)
    custom = openmm.CustomNonbondedForce("a(r)")
    custom.addTabulatedFunction("a", openmm.Continuous1DFunction([0.0, 1.0, 2.0], 0, 1))
    custom.addParticle([])
    system.addForce(custom)
    system.addForce(openmm.CMMotionRemover())
    return openmm.XmlSerializer.serialize(system)


def test_the_pickle_would_run(tmp_path, monkeypatch):
    """That the tests below can fail."""
    monkeypatch.chdir(tmp_path)
    text = evil_system()
    import openmm

    openmm.XmlSerializer.deserialize(text)
    assert (tmp_path / FLAG).exists()


@pytest.mark.parametrize("disguise", ["", "<!-- -->", "version"])
def test_sample_does_not_run_the_pickle_of_a_system(tmp_path, monkeypatch, capsys, disguise):
    monkeypatch.chdir(tmp_path)
    text = evil_system()
    if disguise == "version":
        text = text.replace('type="PythonForce"', 'type = "PythonForce"')
    (tmp_path / "evil.xml").write_text(text.replace("<Forces>", f"<Forces>{disguise}"))
    write(tmp_path / "s.xyz", _atom())
    words = ["sample", "s.xyz", "out.extxyz", "--teacher", "evil.xml", "--static"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "evil.xml holds PythonForce, which may execute code from the file" in error
    assert "--trust" in error
    assert not (tmp_path / FLAG).exists()
    assert main([*words, "--trust"]) == 1  # and what the file then does is its own affair
    assert (tmp_path / FLAG).exists()


def _atom():
    from ase import Atoms

    return Atoms("Si", cell=[9, 9, 9], pbc=False)


@pytest.mark.parametrize("kind", ["TorchForce", "PythonTorchForce", "PlumedForce", "Unheard"])
def test_other_forces_that_are_not_openmms(kind):
    from nnp.openmm.xml import check_xml

    text = f'<System type="System"><Forces><Force type="{kind}"/></Forces></System>'
    with pytest.raises(FileFormatError, match="which may execute code"):
        check_xml(text, "s.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not XML"),
        ("<System", "is not XML"),
        ("<a>\0</a>", "bytes of zero"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<!DOCTYPE, which may execute code"),
        ("<System type='State'/>", "holds no OpenMM System|holds a State"),
    ],
)
def test_xml_that_is_none(tmp_path, text, message):
    pytest.importorskip("openmm")
    from nnp.openmm.system_calculator import read_system

    (tmp_path / "s.xml").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_system(tmp_path / "s.xml")


def test_systems_of_openmms_own_forces_are_read(tmp_path):
    from nnp.openmm.system_calculator import read_system

    text = plain_system()
    (tmp_path / "s.xml").write_text(text)
    assert read_system(tmp_path / "s.xml").getNumForces() == 3


def test_every_force_of_openmm_is_known():
    """The list is OpenMM's own: one of its forces is not refused as a stranger."""
    openmm = pytest.importorskip("openmm")
    from nnp.openmm.xml import check_xml

    names = [n for n in dir(openmm) if n.endswith("Force") and n not in ("Force", "PythonForce")]
    assert len(names) > 20
    for name in names:
        check_xml(f'<System type="System"><Force type="{name}"/></System>', "s.xml")


def test_our_own_force_is_known(tmp_path, small):
    openmm = pytest.importorskip("openmm")
    import nnp.openmm as bridge
    from nnp.openmm.system_calculator import read_system

    system = openmm.System()
    system.addParticle(28.0)
    system.addForce(bridge.create_force(small, ["Si"], route="native", periodic=False))
    (tmp_path / "s.xml").write_text(openmm.XmlSerializer.serialize(system))
    assert read_system(tmp_path / "s.xml").getNumForces() == 1


def test_arrays_with_pickles_as_checkpoint(tmp_path):
    pytest.importorskip("torch")
    from nnp.train.fit.checkpoint import read_checkpoint

    np.savez(tmp_path / "c.npz", header=np.array([Evil()], dtype=object))
    with pytest.raises((FileFormatError, OptionError), match="checkpoint"):
        read_checkpoint(tmp_path / "c.npz", "x")
    assert not (tmp_path / FLAG).exists()


@pytest.mark.parametrize("count", ["99999999999999999999", "1099511627776", "2000000"])
def test_counts_that_no_file_holds(tmp_path, count):
    """ASE's reader of XDATCAR would wait for as many lines."""
    from nnp.io.structures import read_structures

    text = f"O\n1\n9 0 0\n0 9 0\n0 0 9\nO\n{count}\nDirect configuration= 1\n.1 .1 .1\n"
    (tmp_path / "XDATCAR").write_text(text)
    with pytest.raises(FileFormatError, match=rf"XDATCAR, line 7: {count} is more than the file"):
        read_structures(tmp_path / "XDATCAR")
