"""The domain call: the caller's list, ghosts and mask give what the whole structure gives."""

from __future__ import annotations

import ctypes as ct
from dataclasses import replace

import ase.io
import numpy as np
import pytest
from domains import (
    Domain,
    call,
    compute_domain,
    compute_structure,
    domain_of,
    results_of,
    sent_home,
)
from nep_files import nep_text

import nnp
from nnp.engines import _library as c
from nnp.engines.cpu import CpuEngine
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.functions.moments import MomentPair
from nnp.io.n2p2.data import read_data
from nnp.networks import Activation
from nnp.potential import Potential
from nnp.structure import Structure, as_structure
from nnp.testing import random_potential, structures

HALO = 1.5  # Å that rows reach beyond the cutoff
# Units of the fixed point, of which each neighbour's term may lose one.
UNITS = {"forces": 8 * 2.0**-48, "neighbor_virials": 8 * 2.0**-45}


def assert_same(potential, box, domains, dtype="float64", threads=1):
    """The sum over domains is the whole structure, to the rounding of the precision."""
    engine = CpuEngine(potential, dtype, threads=threads)
    wanted = compute_structure(engine, box)
    n = len(box)
    total = {name: np.zeros_like(value) for name, value in wanted.items()}
    for domain in domains:
        found = compute_domain(engine, domain)
        for name in ("energy", "virial"):
            total[name] += found[name]
        for name in ("energies", "forces", "virials", "neighbor_virials"):
            total[name] += sent_home(domain, found[name], n)
    rtol = 1e-13 if dtype == "float64" else 1e-5
    for name, value in wanted.items():
        scale = max(np.abs(value).max(initial=0.0), 1e-2)
        if name == "virial":  # a sum of terms of both signs
            scale = max(scale, np.abs(wanted["virials"]).sum(axis=0).max(initial=0.0))
        atol = rtol * scale + UNITS.get(name, 0)
        np.testing.assert_allclose(total[name], value, rtol=0, atol=atol, err_msg=name)
    if n:
        summed = total["virials"].sum(axis=0), total["neighbor_virials"].sum(axis=0)
        scale = max(np.abs(total["virials"]).sum(axis=0).max(), 1e-2)
        for one in summed:
            np.testing.assert_allclose(
                one,
                wanted["virial"],
                rtol=0,
                atol=10 * rtol * scale + len(box) * UNITS["neighbor_virials"],
            )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_whole_structures(binary, binary_structure, dtype):
    reach = binary.cutoff + HALO
    domain = domain_of(binary, binary_structure, reach, rng=np.random.default_rng(0))
    assert_same(binary, binary_structure, [domain], dtype)


@pytest.mark.parametrize("threads", [1, 3])
def test_two_halves(binary, threads):
    box = structures(("H", "O"))["triclinic"]
    atoms = np.random.default_rng(1).permutation(len(box))
    halves = [domain_of(binary, box, binary.cutoff, part) for part in np.array_split(atoms, 2)]
    assert len(halves[0].centres) > 0
    assert_same(binary, box, halves, threads=threads)


def reference_cases(folder):
    water = nnp.load(folder / "n2p2" / "H2O_RPBE-D3")
    yield water, read_data(folder / "n2p2" / "H2O_RPBE-D3" / "input.data", water.units)[0].structure
    dmabn = nnp.load(folder / "n2p2" / "DMABN_SCAN")
    yield dmabn, read_data(folder / "n2p2" / "DMABN_SCAN" / "input.data", dmabn.units)[0].structure
    for element in ("Si", "Li", "Cu", "Ge", "Mo", "Ni"):
        mlearn = folder / "mlearn" / element
        if mlearn.is_dir():
            atoms = ase.io.read(mlearn / "test.extxyz", "0")
            yield nnp.load(mlearn / "potential"), as_structure(atoms)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reference_potentials(reference_data, dtype):
    for potential, box in reference_cases(reference_data):
        if dtype == "float32" and potential.elements == ("Li",):
            continue  # scaling of functions of 1e-100, which float32 does not have
        rng = np.random.default_rng(2)
        assert_same(potential, box, [domain_of(potential, box, potential.cutoff + HALO, rng=rng)])
        parts = np.array_split(rng.permutation(len(box)), 3)
        domains = [domain_of(potential, box, potential.cutoff, part) for part in parts]
        assert_same(potential, box, domains, dtype)


def test_threads_change_no_bit(binary):
    box = structures(("H", "O"))["rattled"]
    box = Structure(
        np.concatenate([box.positions, box.positions + box.cell[0]]),
        np.tile(box.atomic_numbers, 2),
        box.cell * np.array([[2.0], [1.0], [1.0]]),
        True,
    )
    domain = domain_of(binary, box, binary.cutoff + HALO)
    one, many = (compute_domain(CpuEngine(binary, threads=n), domain) for n in (1, 4))
    for name, value in one.items():
        assert value.tobytes() == many[name].tobytes(), name


def test_mask_and_foreign_atoms(binary):
    """Bits that LAMMPS sets in entries, atoms of other potentials in rows and among the centres."""
    box = structures(("H", "O"))["rattled"]
    engine = CpuEngine(binary)
    plain = domain_of(binary, box, binary.cutoff + HALO)
    wanted = compute_domain(engine, plain)
    rng = np.random.default_rng(3)
    n, extra = len(plain.positions), 5
    rows = [np.concatenate([row, n + rng.integers(0, extra, 2)]) for row in plain.rows]
    rows = [row | (rng.integers(0, 4, len(row)) << 29) for row in rows]  # sets the sign too
    foreign = Domain(
        np.concatenate([plain.positions, plain.positions[:extra] + 0.3]),
        np.append(plain.species, np.full(extra, -1)),
        np.append(plain.home, np.full(extra, -1)),
        np.append(plain.centres, [n, n + 1]),
        [*[row.astype(np.uint32).view(np.int32) for row in rows], *[np.zeros(3, int)] * extra],
        0x1FFFFFFF,
    )
    foreign.positions[n] = np.nan  # nobody looks
    found = compute_domain(engine, foreign)
    for name in ("energy", "virial"):
        np.testing.assert_array_equal(found[name], wanted[name])
    for name in ("energies", "forces", "virials", "neighbor_virials"):
        np.testing.assert_array_equal(found[name][:n], wanted[name], err_msg=name)
        assert not found[name][n:].any()


def test_results_are_added(binary):
    box = structures(("H", "O"))["triclinic"]
    engine, domain = CpuEngine(binary), domain_of(binary, box, binary.cutoff)
    wanted, added = (
        compute_domain(engine, domain),
        compute_domain(engine, domain, start=2.0, add=True),
    )
    for name, value in wanted.items():
        np.testing.assert_array_equal(added[name], value + 2.0, err_msg=name)


def test_nothing_to_do(binary):
    engine = CpuEngine(binary)
    nobody = Domain(np.zeros((0, 3)), np.zeros(0), np.zeros(0, int), np.zeros(0), [])
    assert compute_domain(engine, nobody)["energy"] == 0
    ghosts = Domain(np.zeros((2, 3)), np.zeros(2), np.zeros(2, int), np.zeros(0), [[], []])
    found = compute_domain(engine, ghosts, start=3.0)
    assert all(not value.any() for value in found.values())


def refused(engine, domain, error, code, match):
    with pytest.raises(error, match=match) as caught:
        compute_domain(engine, domain)
    failure = caught.value.failure
    assert failure.code == code
    return failure.atom, failure.other, failure.value


def chain(n=4):
    """Atoms in a row, all centres, with full rows."""
    rows = [np.delete(np.arange(n), i) for i in range(n)]
    positions = np.outer(np.arange(n), [1.5, 0.2, 0.1])
    return Domain(positions, np.zeros(n, int), np.arange(n), np.arange(n), rows)


def test_failures_are_numbers(silicon):
    engine = CpuEngine(silicon, threads=2)
    box = chain()
    box.positions[3] = box.positions[1] + 1e-8
    atom, other, value = refused(engine, box, StructureError, 8, "atoms 1 and 3 are in the same")
    assert (atom, other) == (1, 3)
    assert value == pytest.approx(np.sqrt(3) * 1e-8)
    box = chain()
    box.positions[2, 1] = np.inf
    assert refused(engine, box, StructureError, 10, "position of atom 2") == (2, -1, np.inf)
    box = chain()
    box.species[1] = 1
    assert refused(engine, box, StructureError, 9, r"species of atom 1 is 1: .* to 0")[:2] == (
        1,
        -1,
    )
    box = chain()
    box.rows[2] = np.array([0, 7])
    assert refused(engine, box, StructureError, 2, "neighbour 1 of atom 2 is atom 7")[:2] == (2, 7)
    box = chain()
    box.centres = np.array([0, 0])
    assert refused(engine, box, StructureError, 2, "centre 1 is atom 0: .* each once")[0] == 0
    box = chain()
    box.rows[1] = np.array([1, 0])
    assert refused(engine, box, StructureError, 8, "atoms 1 and 1")[:2] == (1, 1)


def test_not_finite(silicon):
    (model,) = silicon.models
    steep = replace(
        model.network,
        activations=(Activation.EXPONENTIAL, *model.network.activations[1:]),
        biases=(np.full(7, -800.0), *model.network.biases[1:]),
    )
    engine = CpuEngine(Potential((replace(model, network=steep),), 1e300))
    atom, other, value = refused(engine, chain(), NumericalError, 4, "energy or force of atom 0")
    assert (atom, other) == (0, -1)
    assert not np.isfinite(value)


def test_function_that_is_not_finite(tmp_path):
    """The element's own number of it."""
    (tmp_path / "nep.txt").write_text(nep_text())
    potential = nnp.load(tmp_path / "nep.txt")
    model = potential.models[0]
    pairs = [f for f in model.functions if isinstance(f, MomentPair)]
    numbers = 1e160 * np.array(pairs[0].series.coefficients)
    series = replace(pairs[0].series, coefficients=tuple(map(_tuples, numbers)))
    functions = [replace(f, series=series) if f in pairs else f for f in model.functions]
    wild = replace(
        potential, models=(replace(model, functions=tuple(functions)), *potential.models[1:])
    )
    with pytest.raises(NumericalError) as caught:
        compute_domain(CpuEngine(wild), chain(20))
    assert caught.value.failure.function == functions.index(replace(pairs[0], series=series))
    assert caught.value.failure.value == np.inf


def _tuples(rows):
    return tuple(tuple(row) for row in rows)


def test_a_failure_leaves_results_as_they_were(silicon):
    box = chain()
    box.positions[3] = box.positions[1]
    arrays, keep = box.arrays()
    results, found = results_of(len(box.positions), start=7.0)
    with pytest.raises(StructureError):
        call(CpuEngine(silicon), "nnp_engine_compute_domain", arrays, results)
    del keep
    assert all((value == 7.0).all() for value in found.values())


def test_null_pointers(silicon):
    library, engine, failure = c.load_library(), CpuEngine(silicon), c.Failure()
    empty, results = c.DomainArrays(n_atoms=2), c.Results()
    for arguments in ((None, results), (empty, None), (empty, results)):
        pointers = [None if a is None else ct.byref(a) for a in arguments]
        code = library.nnp_engine_compute_domain(engine._handle, *pointers, ct.byref(failure))
        assert code == failure.code == 3
        assert b"null pointer" in failure.text
    assert library.nnp_engine_compute_domain(None, None, None, None) == 3
    with pytest.raises(OptionError):
        failure.raise_any()


def test_rows_that_are_not_symmetric(silicon):
    """Every centre lists one atom: more contributions than any row is long."""
    n = 40
    angles = 2 * np.pi * np.arange(n) / n
    ring = np.stack([2.5 * np.cos(angles), 2.5 * np.sin(angles), 0.3 * np.sin(5 * angles)], 1)
    domain = Domain(
        np.vstack([np.zeros(3), ring]),
        np.zeros(n + 1, int),
        np.arange(n + 1),
        np.arange(1, n + 1),
        [[], *[[0]] * n],
    )
    found = compute_domain(CpuEngine(silicon), domain)
    assert found["forces"].sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-10)
    halves = []
    for part in np.array_split(np.arange(1, n + 1), 2):
        domain.centres = part
        halves.append(compute_domain(CpuEngine(silicon), domain)["forces"])
    np.testing.assert_allclose(sum(halves), found["forces"], rtol=0, atol=1e-12)


def test_large_forces_are_scaled_down(silicon):
    """Forces too large for the finest fixed point; the rows are not symmetric either."""
    steep = Potential(silicon.models, 1e6)
    box = structures(("Si",))["rattled"]
    assert_same(steep, box, [domain_of(steep, box, steep.cutoff)])


def test_random_cells():
    for seed in range(5):
        potential = random_potential(("H", "O", "Si"), seed, radius=3.5)
        box = structures(("H", "O", "Si"))["triclinic"]
        rng = np.random.default_rng(seed)
        assert_same(potential, box, [domain_of(potential, box, potential.cutoff + HALO, rng=rng)])
