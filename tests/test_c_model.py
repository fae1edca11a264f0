"""Models in C: the table of families, model files read without Python, every damage a message."""

from __future__ import annotations

import ctypes as ct
import io
import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from domains import compute_structure

import nnp
from nnp.baseline import Baseline
from nnp.committee import Committee
from nnp.engines import _library as c
from nnp.engines.cpu import CpuEngine
from nnp.engines.flatten import FlatPotential, flatten
from nnp.errors import FileFormatError, NNPError, OptionError
from nnp.functions import OWN
from nnp.io import model as model_io
from nnp.testing import random_potential, structures

BAD_MODEL, BAD_ARGUMENT, BAD_FILE = 1, 3, 7


class Opened:
    """A model handle; released with the object."""

    def __init__(self, handle):
        self.handle, self.library = handle, c.load_library()

    def __del__(self):
        self.library.nnp_model_release(self.handle)

    @classmethod
    def of(cls, content):
        """From the bytes of a file, or a path."""
        library, handle, failure = c.load_library(), ct.c_void_p(), c.Failure()
        if isinstance(content, bytes):
            arguments = ("nnp_model_from_memory", content, len(content))
        else:
            arguments = ("nnp_model_open", str(content).encode())
        code = getattr(library, arguments[0])(*arguments[1:], ct.byref(handle), ct.byref(failure))
        assert code == failure.code
        assert bool(handle) == (code == 0)
        failure.raise_any()
        return cls(handle)

    def energy(self, structure):
        """By an engine made from the model."""
        engine, failure = CpuEngine.__new__(CpuEngine), c.Failure()
        engine._handle = ct.c_void_p()
        self.library.nnp_engine_create(
            self.handle, None, ct.byref(engine._handle), ct.byref(failure)
        )
        failure.raise_any()
        found = compute_structure(engine, structure, ("energy",))["energy"][0]
        self.library.nnp_engine_destroy(engine._handle)
        return found


def test_families_are_those_of_python():
    library = c.load_library()
    found = []
    for index in range(library.nnp_n_families()):
        info, names = c.FamilyInfo(), []
        assert library.nnp_family(index, ct.byref(info)) == 0
        for k in range(info.n_integers + info.n_reals):
            parameter = c.ParameterInfo()
            assert library.nnp_family_parameter(index, k, ct.byref(parameter)) == 0
            assert parameter.meaning
            names.append((parameter.name.decode(), parameter.meaning.decode()))
        n = info.n_integers
        found.append((info.number, info.name.decode(), info.loop == 2, names[:n], names[n:]))
        assert library.nnp_family_parameter(index, len(names), ct.byref(parameter)) == BAD_ARGUMENT
    assert library.nnp_family(len(found), ct.byref(info)) == BAD_ARGUMENT
    wanted = [
        (
            family.number,
            family.name,
            family.is_angular,
            [(p.name, p.meaning) for p in family.integers],
            [(p.name, p.meaning) for p in family.reals],
        )
        for family in OWN
        if family.number
    ]
    assert found == wanted


def test_functions_have_their_parameters(binary):
    model, library = Opened.of(flatten(binary).to_bytes()), c.load_library()
    info = c.FunctionInfo()
    assert library.nnp_model_n_elements(model.handle) == 2
    for e, element in enumerate(binary.models):
        assert library.nnp_model_n_functions(model.handle, e) == len(element.functions)
        for k, function in enumerate(element.functions):
            assert library.nnp_model_function(model.handle, e, k, ct.byref(info)) == 0
            assert info.family == function.number
            assert info.radius == function.radius
            assert info.minimum == element.scaling.minimum[k]
            assert info.text.decode().startswith(function.name)
            names = [parameter.name for parameter in function.reals]
            reals = dict(zip(names, info.reals[: len(names)], strict=True))
            for name in set(reals) & set(vars(function)):
                assert reals[name] == getattr(function, name)
    assert library.nnp_model_function(model.handle, 0, -1, ct.byref(info)) == BAD_ARGUMENT
    assert library.nnp_model_function(model.handle, 2, 0, ct.byref(info)) == BAD_ARGUMENT


def test_a_file_is_the_potential(binary, tmp_path):
    binary.save(tmp_path / "binary.nnp")
    box = structures(("H", "O"))["triclinic"]
    assert Opened.of(tmp_path / "binary.nnp").energy(box) == binary.evaluate(box, "cpu").energy
    assert Opened.of((tmp_path / "binary.nnp").read_bytes()).library.nnp_version() == 3


def test_a_committee_is_its_mean_and_has_members(tmp_path):
    members = [random_potential(("H", "O"), seed) for seed in (2, 3, 4)]
    committee = Committee.of(members)
    committee.save(tmp_path / "committee.nnp")
    box = structures(("H", "O"))["triclinic"]
    model, library = Opened.of(tmp_path / "committee.nnp"), c.load_library()
    assert model.energy(box) == pytest.approx(committee.evaluate(box, "cpu").energy, rel=1e-12)
    assert library.nnp_model_n_members(model.handle) == 3
    for number, member in enumerate(members):
        part = Opened(ct.c_void_p(library.nnp_model_member(model.handle, number)))
        assert part.energy(box) == member.evaluate(box, "cpu").energy
        assert library.nnp_model_n_members(part.handle) == 0
    del model  # a member outlives its committee
    assert part.energy(box) == members[2].evaluate(box, "cpu").energy
    assert library.nnp_model_member(part.handle, 0) is None


def test_models_that_came_with_the_package():
    path = Path(nnp.__file__).parent / "data/silicon_sw.nnp"
    assert nnp.load(path).cutoff == c.load_library().nnp_model_cutoff(Opened.of(path).handle)


# ---- refusals ---------------------------------------------------------------------------------


def refused(content, code, match):
    with pytest.raises(NNPError, match=match) as caught:
        Opened.of(content)
    assert isinstance(caught.value, {BAD_MODEL: OptionError, BAD_FILE: FileFormatError}[code])


def test_missing_and_foreign_files(tmp_path):
    refused(tmp_path / "nothing.nnp", BAD_FILE, "cannot open .*nothing.nnp: No such file")
    refused(tmp_path, BAD_FILE, "cannot read .*: it is not a file")
    os.mkfifo(tmp_path / "pipe.nnp")
    refused(tmp_path / "pipe.nnp", BAD_FILE, "cannot read .*pipe.nnp: it is not a file")
    refused("/dev/zero", BAD_FILE, "cannot read /dev/zero: it is not a file")
    (tmp_path / "text.nnp").write_text("no model at all, but long enough for the end of a zip")
    refused(tmp_path / "text.nnp", BAD_FILE, r"text.nnp: this is not a complete nnp model file")
    refused(b"", BAD_FILE, "it has 0 bytes")


def test_version_1_is_told(binary):
    def old(name):
        return name != "arrays.bin"

    refused(
        rewritten(model_io.to_bytes(binary), keep=old), BAD_FILE, "version 1, which only Python"
    )


def test_a_baseline_is_refused_in_c(binary):
    content = model_io.to_bytes(replace(binary, baseline=(Baseline("dftd3", {"method": "pbe"}),)))
    assert model_io.from_bytes(content).baseline
    refused(
        content, BAD_MODEL, r"fitted on top of dftd3 \(method=pbe\), which its engines must add"
    )


def rewritten(content, keep=lambda _: True, change=lambda _, data: data, method=None):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            if keep(info.filename):
                data = change(info.filename, old.read(info))
                new.writestr(info.filename, data, method or info.compress_type)
    return out.getvalue()


def test_forged_archives(binary):
    content = model_io.to_bytes(binary)
    deflated = rewritten(content, method=zipfile.ZIP_DEFLATED)
    refused(deflated, BAD_FILE, "arrays.bin is compressed")
    refused(rewritten(content, lambda n: n != "header.json"), BAD_FILE, "lacks header.json")
    swapped = bytearray(content)
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"arrays.bin"))
    struct.pack_into("<I", swapped, at + 42, 0)  # where another member lies
    refused(bytes(swapped), BAD_FILE, "holds another member")
    struct.pack_into("<I", swapped, at + 42, 2**31)
    refused(bytes(swapped), BAD_FILE, "the place of arrays.bin is wrong")
    swapped = bytearray(content)
    struct.pack_into("<II", swapped, at + 20, 2**31, 2**31)
    refused(bytes(swapped), BAD_FILE, "arrays.bin is cut off")
    nested = model_io.to_bytes(Committee.of([binary, binary]))
    inner = rewritten(nested, change=lambda n, d: nested if n == "member_1.nnp" else d)
    refused(inner, BAD_FILE, "do not nest")
    with_more = io.BytesIO(nested)
    with zipfile.ZipFile(with_more, "a") as archive:
        archive.writestr("member_7.nnp", b"x")
    refused(with_more.getvalue(), BAD_FILE, "more than its members")


def test_python_and_c_read_the_same_potential(binary):
    """Flat arrays of another potential in an else honest file."""
    other = flatten(replace(binary, energy_scale=2.0)).to_bytes()
    for flat, match in (
        (other, "not those of its header"),
        (b"NNPARRAY" + b"\0" * 32, "checksum|not"),
    ):
        forged = rewritten(
            model_io.to_bytes(binary), change=lambda n, d, f=flat: f if n == "arrays.bin" else d
        )
        with pytest.raises(FileFormatError, match=match):
            model_io.from_bytes(forged)


def test_every_damaged_byte_of_the_arrays_is_found(silicon):
    content = flatten(silicon).to_bytes()
    rng = np.random.default_rng(0)
    for where in [*range(48), *rng.integers(48, len(content), 300).tolist()]:
        damaged = bytearray(content)
        damaged[where] ^= 1 << rng.integers(8)
        refused(bytes(damaged), BAD_FILE, "damaged|not a complete nnp model file")
    for length in rng.integers(0, len(content), 100).tolist():
        refused(content[:length], BAD_FILE, "damaged|not a complete nnp model file")


@pytest.mark.parametrize("kind", ["single", "committee"])
def test_damaged_files_never_give_another_potential(silicon, kind):
    """Any byte: refused, or where C does not look; then the potential is what it was."""
    potential = silicon if kind == "single" else Committee.of([silicon, silicon])
    content = model_io.to_bytes(potential)
    box = structures(("Si",))["dimer"]
    wanted, rng = Opened.of(content).energy(box), np.random.default_rng(1)
    for where in rng.integers(0, len(content), 300).tolist():
        damaged = bytearray(content)
        damaged[where] = rng.integers(256)
        try:
            model = Opened.of(bytes(damaged))
        except (OptionError, FileFormatError):
            continue
        assert model.energy(box) == wanted
    for length in rng.integers(0, len(content), 100).tolist():
        refused(content[:length], BAD_FILE, "not a complete nnp model file")


def with_numbers(flat, integers=None, reals=None):
    return FlatPotential(
        flat.integers if integers is None else np.array(integers, np.int64),
        flat.reals if reals is None else np.array(reals),
    ).to_bytes()


def test_unknown_parts_are_named(silicon):
    flat = flatten(silicon)
    whole = flat.integers.tolist()
    unknown_tag = whole.copy()
    unknown_tag[2] += 1
    refused(with_numbers(flat, [*unknown_tag, 77, 0, 0]), BAD_MODEL, "a part of tag 77.*update nnp")
    family = whole.copy()
    family[3 + 3 + 3 + 3] = 99  # head, block of the model, head of the element's, its three
    refused(with_numbers(flat, family), BAD_MODEL, "a function is of family 99.*update nnp")
    layout = whole.copy()
    layout[1] = 9
    refused(with_numbers(flat, layout), BAD_MODEL, "the layout's version is 9, allowed: 2")
    none = [*whole[:2], 1, 1, 0, 2]
    refused(with_numbers(flat, none, [1.0, 0.0]), BAD_MODEL, "lack its header or its elements")
    huge = whole.copy()
    huge[7] = 2**62
    refused(with_numbers(flat, huge), BAD_MODEL, "integers end before the end of a block")


def test_null_pointers():
    library, failure = c.load_library(), c.Failure()
    assert library.nnp_model_open(None, None, ct.byref(failure)) == BAD_ARGUMENT
    assert library.nnp_model_open(None, ct.byref(ct.c_void_p()), None) == BAD_ARGUMENT
    assert library.nnp_model_from_memory(None, 5, ct.byref(ct.c_void_p()), None) == BAD_ARGUMENT
    assert library.nnp_model_n_elements(None) == 0
    assert library.nnp_model_n_functions(None, 0) == -1
    assert library.nnp_model_cutoff(None) == 0
    library.nnp_model_release(None)
