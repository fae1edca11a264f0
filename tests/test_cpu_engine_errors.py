"""The CPU engine refuses bad structures, options and arrays in one sentence."""

from __future__ import annotations

import _ctypes
import ctypes as ct
from dataclasses import replace

import numpy as np
import pytest
from domains import compute_structure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnp.engines import _library
from nnp.engines.cpu import CpuEngine
from nnp.engines.flatten import flatten
from nnp.errors import NumericalError, OptionError, StructureError, UnavailableError
from nnp.networks import Activation
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.testing import (
    structures,
)


def test_not_finite_position(silicon):
    box = structures()["rattled"]
    for value in (np.nan, np.inf):
        box.positions[3, 1] = value
        with pytest.raises(StructureError, match="position of atom 3 is not finite"):
            CpuEngine(silicon).compute(box)


def test_overlapping_atoms(silicon):
    box = structures()["rattled"]
    box.positions[6] = box.positions[2] + box.cell[1]
    with pytest.raises(StructureError, match="atoms 2 and 6 are in the same place"):
        CpuEngine(silicon, threads=2).compute(box)


def test_unknown_element(silicon):
    with pytest.raises(StructureError, match="atom 1 is O"):
        CpuEngine(silicon).compute(Structure([[0, 0, 0], [2, 0, 0]], [14, 8], np.eye(3), False))


def test_unknown_element_in_c(silicon):
    box = structures()["dimer"]
    with pytest.raises(StructureError, match="atom 0 has atomic number 3, which the potential"):
        compute_structure(CpuEngine(silicon), Structure(box.positions, [3, 14], box.cell, box.pbc))


def test_no_atoms(silicon):
    empty = Structure(np.empty((0, 3)), [], np.eye(3), True)
    with pytest.raises(StructureError, match="no atoms"):
        CpuEngine(silicon).compute(empty)
    found = compute_structure(CpuEngine(silicon), empty)
    assert found["energy"] == 0  # in C no atoms have no energy


def test_flat_cell_in_c(silicon):
    box = structures()["rattled"]
    box.cell[2] = box.cell[1]
    with pytest.raises(StructureError, match="span no volume"):
        CpuEngine(silicon).compute(box)


def test_flat_means_the_same_in_python_and_in_c(silicon):
    box = structures()["rattled"]

    def tilted(share):  # of the volume of a cube with the same edges
        return np.array([[5.0, 0, 0], [0, 5.0, 0], [5.0, 5.0, share * np.sqrt(50)]])

    with pytest.raises(StructureError, match="volume"):
        Structure(box.positions, box.atomic_numbers, tilted(0.3e-8), True)
    thin = Structure(box.positions, box.atomic_numbers, tilted(3e-8), True)
    with pytest.raises(StructureError, match="so small against the cutoff"):
        CpuEngine(silicon).compute(thin)
    thin.cell[:] = tilted(0.3e-8)
    with pytest.raises(StructureError, match="span no volume"):
        CpuEngine(silicon).compute(thin)


def test_a_function_that_float32_cannot_hold(silicon):
    """Its values would all be 0, and scaled not finite."""
    (model,) = silicon.models
    minimum, maximum = model.scaling.minimum.copy(), model.scaling.maximum.copy()
    minimum[2], maximum[2] = 0, 1e-60
    scaling = replace(model.scaling, minimum=minimum, maximum=maximum)
    small = Potential((replace(model, scaling=scaling),))
    with pytest.raises(
        OptionError, match=r"float32 cannot hold function 2 of element 14 .*float64"
    ):
        CpuEngine(small, dtype="float32")
    CpuEngine(small)


@pytest.mark.parametrize(
    ("shrink", "message"),
    [
        (0.1, r"atom \d+ has \d+ neighbours within .* \(most: 10000\): .*angstrom\?"),
        (0.002, r"so small against the cutoff .* images would be needed: give a larger cell"),
    ],
)
def test_nanometres_taken_for_angstroms(silicon, shrink, message):
    """Neither hours nor all memory, but a sentence."""
    box = structures()["rattled"]
    small = Structure(shrink * box.positions, box.atomic_numbers, shrink * box.cell, True)
    with pytest.raises(StructureError, match=message):
        CpuEngine(silicon, threads=2).compute(small)


def test_atom_too_far_outside(silicon):
    box = structures()["rattled"]
    box.positions[1, 0] = 1e15
    with pytest.raises(StructureError, match=r"atom 1 lies .* cells away"):
        CpuEngine(silicon).compute(box)


def test_energy_that_is_not_finite(silicon):
    (model,) = silicon.models
    box = structures()["rattled"]
    with pytest.raises(NumericalError, match="sum of the atoms' energies is not finite"):
        CpuEngine(Potential((replace(model, energy_offset=1e308),))).compute(box)
    steep = replace(
        model.network,
        activations=(Activation.EXPONENTIAL, *model.network.activations[1:]),
        biases=(np.full(7, -800.0), *model.network.biases[1:]),
    )
    with pytest.raises(NumericalError, match="energy or force of atom 0 is not finite"):
        CpuEngine(Potential((replace(model, network=steep),), 1e300)).compute(box)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "float16"}, "dtype='float16' is unknown: allowed are float64, float32"),
        ({"threads": 0}, "threads=0: a whole number from 1"),
        ({"threads": "2"}, "threads='2': a whole number from 1"),
        ({"threads": 1.5}, r"threads=1.5: a whole number from 1"),
        ({"threads": 2**32 + 1}, "threads=4294967297: a whole number up to 4096"),
        ({"skin": -1.0}, "skin=-1.0: a number from 0"),
        ({"skin": float("inf")}, "skin=inf: a number from 0"),
        ({"skin": "1"}, "skin='1': a number from 0"),
        ({"target": "mmx"}, "target='mmx' is unknown"),
    ],
)
def test_bad_options(silicon, options, message):
    with pytest.raises(OptionError, match=message):
        CpuEngine(silicon, **options)


def test_options_that_name_no_engine_are_refused_too(silicon):
    """A list cannot be a key of the warm engines; the sentence is the same."""
    with pytest.raises(OptionError, match=r"threads=\[1\]: a whole number from 1"):
        silicon.evaluate(structures()["rattled"], threads=[1])


def test_missing_library(silicon, monkeypatch, tmp_path):
    _library.load_library.cache_clear()
    monkeypatch.setenv("NNP_LIBRARY", str(tmp_path / "nothing.so"))
    with pytest.raises(
        UnavailableError, match="need the package's C\\+\\+ library, which is not at"
    ):
        CpuEngine(silicon)
    (tmp_path / "nothing.so").write_bytes(b"no library")
    with pytest.raises(UnavailableError, match="does not load"):
        CpuEngine(silicon)
    monkeypatch.setenv("NNP_LIBRARY", _ctypes.__file__)  # loads, and has none of the functions
    with pytest.raises(UnavailableError, match=r"another version of this package.*nnp_version"):
        CpuEngine(silicon)
    monkeypatch.undo()
    _library.load_library.cache_clear()


def create(integers, reals):
    """Code and message of nnp_model_from_arrays."""
    library = _library.load_library()
    integers, reals = np.ascontiguousarray(integers, np.int64), np.ascontiguousarray(reals, float)
    arrays = _library.PotentialArrays(
        integers.ctypes.data_as(ct.POINTER(ct.c_int64)),
        len(integers),
        reals.ctypes.data_as(ct.POINTER(ct.c_double)),
        len(reals),
    )
    model, failure = ct.c_void_p(), _library.Failure()
    code = library.nnp_model_from_arrays(ct.byref(arrays), ct.byref(model), ct.byref(failure))
    library.nnp_model_release(model)
    return code, failure.text.decode()


def test_flat_arrays_of_wrong_length(binary):
    flat = flatten(binary)
    assert create(flat.integers, flat.reals) == (0, "")
    for cut in (0, 1, 5, 40, len(flat.integers) - 1):
        code, message = create(flat.integers[:cut], flat.reals)
        assert code == 1
        assert "integers end before" in message
    for cut in (0, 1, 50, len(flat.reals) - 1):
        code, message = create(flat.integers, flat.reals[:cut])
        assert code == 1
        assert "reals end before" in message
    code, message = create(flat.integers, np.append(flat.reals, 1.0))
    assert code == 1
    assert "hold 1 numbers more" in message


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.integers(0, 10**6), value=st.integers(-3, 30))
def test_corrupt_flat_arrays_never_crash(binary, where, value):
    flat = flatten(binary)
    integers = flat.integers.copy()
    integers[where % len(integers)] = value
    code, message = create(integers, flat.reals)
    assert code in (0, 1)
    assert bool(message) == bool(code)
