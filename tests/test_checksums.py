"""A model or an OpenMM System that was changed by hand or by accident is not another potential."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile

import numpy as np
import pytest
from plugin_systems import need_plugin

from nnp.errors import FileFormatError
from nnp.io.model import from_bytes, to_bytes
from nnp.testing import random_potential


@pytest.fixture(scope="module")
def potential():
    return random_potential(("H", "O"), 0, ("radial", "compact_radial"))


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: (info, archive.read(info)) for info in archive.infolist()}


def packed(members):
    """Stored or deflated as before, with the zip's own checksums made again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (info, content) in members.items():
            archive.writestr(name, content, compress_type=info.compress_type)
    return buffer.getvalue()


def changed(potential, name, edit):
    members = members_of(to_bytes(potential))
    info, content = members[name]
    members[name] = (info, edit(content))
    return packed(members)


def refuse_in_both(data, message):
    import ctypes as ct

    from nnp.engines import _library as c

    with pytest.raises(FileFormatError, match=message):
        from_bytes(data, "m.nnp")
    library, failure, handle = c.load_library(), c.Failure(), ct.c_void_p()
    library.nnp_model_from_memory(data, len(data), ct.byref(handle), ct.byref(failure))
    assert failure.code
    assert not handle


def test_the_whole_one_is_read(potential):
    from_bytes(packed(members_of(to_bytes(potential))))


@pytest.mark.parametrize("seed", range(40))
def test_any_bit_of_the_flat_arrays(potential, seed):
    def flip(content):
        rng = random.Random(seed)  # noqa: S311
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        return bytes(changed)

    refuse_in_both(changed(potential, "arrays.bin", flip), "m.nnp")


def test_flat_arrays_that_are_missing_or_another_potentials(potential):
    members = members_of(to_bytes(potential))
    kept = members.pop("arrays.bin")
    refuse_in_both(packed(members), r"arrays\.bin")
    other = members_of(to_bytes(random_potential(("H", "O"), 1, ("radial", "compact_radial"))))
    with pytest.raises(FileFormatError, match="arrays"):
        from_bytes(packed(members | {"arrays.bin": other["arrays.bin"]}))
    from_bytes(packed(members | {"arrays.bin": kept}))


@pytest.mark.parametrize("name", ["H/weights_0.npy", "O/biases_1.npy", "O/minimum.npy"])
def test_a_number_of_an_array(potential, name):
    def edit(content):
        array = np.load(io.BytesIO(content))
        array.flat[0] += 1e-6  # beyond what folding into the flat arrays rounds
        buffer = io.BytesIO()
        np.save(buffer, array)
        return buffer.getvalue()

    with pytest.raises(FileFormatError, match=r"m\.nnp.*arrays"):
        from_bytes(changed(potential, name, edit), "m.nnp")


EDITS = {
    "energy_scale": lambda header: header.update(energy_scale=header["energy_scale"] * 1.01),
    "offset": lambda header: header["elements"][0].update(energy_offset=0.125),
    "function": lambda header: header["elements"][1]["functions"][-1].update(r_right=5.0),
    "scaling": lambda header: header["elements"][0]["scaling"].update(target_max=1.5),
    "activation": lambda header: header["elements"][0]["activations"].__setitem__(0, "s"),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_number_of_the_header(potential, what):
    def edit(content):
        header = json.loads(content)
        EDITS[what](header)
        return json.dumps(header).encode()

    with pytest.raises(FileFormatError, match=r"m\.nnp"):
        from_bytes(changed(potential, "header.json", edit), "m.nnp")


# ---- OpenMM's XML ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def text(potential):
    need_plugin()
    import openmm

    from nnp.openmm import create_force

    system = openmm.System()
    for mass in (16.0, 1.0, 1.0):
        system.addParticle(mass)
    system.addForce(create_force(potential, ["O", "H", "H"], route="native", periodic=False))
    return openmm.XmlSerializer.serialize(system)


def read(tmp_path, text):
    from nnp.openmm.system_calculator import read_system

    (tmp_path / "s.xml").write_text(text)
    return read_system(tmp_path / "s.xml")


@pytest.mark.parametrize("seed", range(20))
def test_any_digit_of_a_systems_potential(tmp_path, text, seed):
    assert read(tmp_path, text).getNumForces() == 1
    rng = random.Random(seed)  # noqa: S311
    found = re.search(r'\bpotential="([^"]+)"', text)
    at = rng.randrange(found.start(1), found.end(1) - 4)
    digit = rng.choice([d for d in "AZaz09+/" if d != text[at]])
    with pytest.raises(FileFormatError, match=r"s\.xml holds no OpenMM System.*NNPForce"):
        read(tmp_path, text[:at] + digit + text[at + 1 :])


def test_a_system_without_a_checksum(tmp_path, text):
    """As version 1 had it; and one whose potential is missing or cut."""
    force = re.search(r"<Force [^>]*NNPForce[^>]*>", text)[0]
    for edit in (
        re.sub(r'version="\d+"', 'version="1"', force),
        re.sub(r'potential="[^"]+"', "", force),
        re.sub(
            r'potential="([^"]+)"', lambda m: f'potential="{m[1][: len(m[1]) // 8 * 4]}"', force
        ),
    ):
        assert edit != force
        with pytest.raises(FileFormatError, match=r"s\.xml holds no OpenMM System"):
            read(tmp_path, text.replace(force, edit))
