"""Arrays that stay on the device, and recorded evaluations: through PyOpenCL, on PoCL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from gpu_potentials import uneven

from nnp.errors import OptionError, StructureError, UnavailableError
from nnp.structure import Structure
from nnp.testing import random_structure

cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
cla = pytest.importorskip("pyopencl.array")

SKIN = 0.5
CALLS = ("compile", "empty", "write", "read", "launch", "new", "cast")


@pytest.fixture(scope="module")
def potential():
    return uneven()


@pytest.fixture(scope="module")
def warm(potential):
    """An engine, compiled once for all tests."""
    try:
        from nnp.engines.gpu import OpenCLEngine

        engine = OpenCLEngine(potential, skin=SKIN)
    except UnavailableError as error:
        pytest.skip(str(error))
    engine.prepare()
    return engine


@pytest.fixture
def box():
    return random_structure(("H", "O"), 20, 12)


@pytest.fixture
def engine(warm, box):
    """The engine with the list of the box, and a count of what its device is asked for."""
    warm.compute(box, True, True)
    device, calls = warm.device, Counter()
    originals = {name: getattr(device, name) for name in CALLS}

    def counted(name):
        def call(*args, **kwargs):
            calls[name] += 1
            return originals[name](*args, **kwargs)

        return call

    for name in CALLS:
        setattr(device, name, counted(name))
    warm.calls = calls
    yield warm
    for name in CALLS:
        delattr(device, name)


def put(engine, *values):
    return [cla.to_device(engine.device.queue, np.ascontiguousarray(v)) for v in values]


def on_device(engine, box, dtype=np.float64):
    """All four arguments as arrays of the device."""
    return put(
        engine,
        box.positions.astype(dtype),
        box.atomic_numbers,
        box.cell,
        box.pbc.astype(np.uint8),
    )


def assert_same(found, wanted, bits=True):
    """Bit for bit, or as float32 positions allow."""
    for name in ("energy", "energies", "forces", "stress"):
        got, expected = getattr(found, name).get(), getattr(wanted, name)
        if bits and name == "stress":  # the volume's determinant is another's
            np.testing.assert_allclose(got, expected, rtol=1e-14, err_msg=name)
        elif bits:
            np.testing.assert_array_equal(got, expected, err_msg=name)
        else:
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6, err_msg=name)
    assert np.abs(wanted.forces).max() > 1e-3


@pytest.mark.parametrize("whole", [False, True])
def test_arrays_give_what_numbers_give(engine, box, whole):
    wanted = engine.compute(box, True, True)
    arguments = on_device(engine, box)
    if not whole:
        arguments[1:] = box.atomic_numbers, box.cell, box.pbc
    found = engine.compute_arrays(*arguments, stress=True)
    assert_same(found, wanted)
    assert all(isinstance(a, cla.Array) for a in (found.energy, found.energies, found.forces))
    assert found.energy.shape == ()
    assert found.forces.shape == (20, 3)
    assert len(found.extrapolations) == len(wanted.extrapolations)


def test_python_threads_take_turns(engine, box):
    """One engine, one list, one set of buffers: results are those of one thread, bit for bit."""
    frames = [replace(box, positions=box.positions + shift) for shift in (0.0, 0.4, 0.8, 1.2)]
    alone = [engine.compute(frame).forces for frame in frames]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda k: engine.compute(frames[k % 4]).forces, range(16)))
    for k, forces in enumerate(found):
        np.testing.assert_array_equal(forces, alone[k % 4])


def test_the_stress_of_a_left_handed_cell(engine, box):
    swapped = replace(box, cell=box.cell[[1, 0, 2]])
    assert np.linalg.det(swapped.cell) * np.linalg.det(box.cell) < 0
    found = engine.compute_arrays(*on_device(engine, swapped), stress=True)
    assert_same(found, engine.compute(swapped, True, True))


def test_the_type_of_the_positions_is_that_of_the_forces(engine, box):
    found = engine.compute_arrays(*on_device(engine, box, np.float32), stress=True)
    assert found.forces.dtype == np.float32
    assert found.energy.dtype == np.float64
    assert_same(found, engine.compute(box, True, True), bits=False)


def test_what_is_not_asked_for_is_none(engine, box):
    found = engine.compute_arrays(*on_device(engine, box), forces=False)
    assert found.forces is None
    assert found.stress is None


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_one_flag_is_all_the_host_reads(engine, box, real):
    arguments = on_device(engine, box, real)
    engine.compute_arrays(*arguments)
    engine.calls.clear()
    engine.compute_arrays(*arguments)
    assert engine.calls == {"launch": 6, "read": 1, "new": 4}
    sizes = []
    read = engine.device.read
    engine.device.read = lambda *arguments: (sizes.append(arguments[2]), read(*arguments))[1]
    engine.compute_arrays(*arguments)
    assert sizes == [16]  # the report


def test_positions_of_the_caller_are_read_where_they_lie(engine, box):
    """float64 positions with all else on the host: no kernel copies them."""
    (positions,) = put(engine, box.positions)
    rest = (box.atomic_numbers, box.cell, box.pbc)
    engine.calls.clear()
    engine.compute_arrays(positions, *rest)
    assert engine.calls["launch"] == 5
    assert engine.calls["write"] == 0


def test_arrays_are_followed(engine, box, potential):
    """Other positions, elements, cells and periodicity in the same arrays: each is noticed."""
    rng = np.random.default_rng(5)
    swapped = box.atomic_numbers.copy()
    swapped[:] = swapped[::-1]
    assert (swapped != box.atomic_numbers).any()
    strain = np.eye(3) * 1.01
    for other, builds in (
        (replace(box, positions=box.positions + rng.uniform(-0.05, 0.05, (20, 3))), 0),
        (replace(box, positions=box.positions @ strain, cell=box.cell @ strain), 0),
        (replace(box, positions=box.positions + rng.uniform(-0.4, 0.4, (20, 3))), 1),
        (replace(box, atomic_numbers=swapped), 1),
        (replace(box, pbc=np.array([True, True, False])), 1),
        (random_structure(("H", "O"), 11, 13), 1),
    ):
        engine.compute(box)
        before = engine.statistics["list_builds"]
        arguments = on_device(engine, other)
        found = engine.compute_arrays(*arguments)
        assert engine.statistics["list_builds"] == before + builds
        wanted = potential.evaluate(other, "cpu")
        np.testing.assert_allclose(found.forces.get(), wanted.forces, rtol=0, atol=1e-11)
        # the same, told by the host
        engine.compute(box)
        rest = (other.atomic_numbers, other.cell, other.pbc)
        found = engine.compute_arrays(arguments[0], *rest)
        np.testing.assert_allclose(found.forces.get(), wanted.forces, rtol=0, atol=1e-11)


def test_integers_of_any_width(engine, box):
    wanted = engine.compute(box, True, True)
    arguments = on_device(engine, box)
    arguments[1] = put(engine, box.atomic_numbers.astype(np.int32))[0]
    arguments[2] = put(engine, box.cell.astype(np.float64))[0]
    assert_same(engine.compute_arrays(*arguments, stress=True), wanted)


def test_numpy_in_numpy_out(engine, box):
    wanted = engine.compute(box, True, True)
    rest = (box.atomic_numbers, box.cell, box.pbc)
    found = engine.compute_arrays(box.positions, *rest, stress=True)
    assert type(found.forces) is np.ndarray
    assert (found.forces == wanted.forces).all()
    found = engine.compute_arrays(box.positions.astype(np.float32), *rest)
    assert found.forces.dtype == np.float32
    torch = pytest.importorskip("torch")
    found = engine.compute_arrays(torch.tensor(box.positions, requires_grad=True), *rest)
    assert isinstance(found.energy, torch.Tensor)
    assert (found.forces.numpy() == wanted.forces).all()


@pytest.mark.usefixtures("engine")
def test_a_list_without_skin_holds_for_atoms_that_stand_still(box, potential):
    """To rounding: kernels compute an atom's place twice."""
    engine = potential.make_engine("opencl", skin=0.0)
    near = replace(box, positions=box.positions + 1e-9)
    far = replace(box, positions=box.positions + 1e-4 * np.eye(20, 3))
    builds = []
    for structure in (box, near, far):
        forces = engine.compute(structure).forces
        wanted = potential.evaluate(structure, "cpu").forces
        np.testing.assert_allclose(forces, wanted, rtol=0, atol=1e-11)
        builds.append(engine.statistics["list_builds"])
    assert builds == [1, 1, 2]


def test_queues_of_the_caller(engine, box):
    wanted = engine.compute(box, True, True)
    other = cl.CommandQueue(engine.device.queue.context)
    positions = cla.to_device(other, box.positions)
    found = engine.compute_arrays(positions, box.atomic_numbers, box.cell, box.pbc, stress=True)
    assert found.forces.queue == other
    assert_same(found, wanted)


# ---- recorded evaluations --------------------------------------------------------------------


def test_a_recorded_step_neither_allocates_nor_waits(engine, box, monkeypatch):
    arguments = on_device(engine, box)
    step = engine.capture(*arguments, stress=True)
    engine.calls.clear()
    forbidden = Counter()
    for module, name in ((cl, "Buffer"), (cla, "empty"), (cl, "enqueue_copy")):
        monkeypatch.setattr(module, name, lambda *_, name=name, **__: forbidden.update([name]))
    step()
    monkeypatch.undo()
    assert engine.calls == {"launch": 6}
    assert not forbidden
    assert step.holds()
    assert_same(step, engine.compute(box, True, True))


def test_a_recorded_step_follows_its_arrays(engine, box, potential):
    arguments = on_device(engine, box)
    step = engine.capture(*arguments)
    near = box.positions + np.random.default_rng(6).uniform(-0.1, 0.1, (20, 3))
    arguments[0].set(near)
    step()
    assert step.holds()
    wanted = potential.evaluate(replace(box, positions=near), "cpu").forces
    np.testing.assert_allclose(step.forces.get(), wanted, rtol=0, atol=1e-11)


def test_what_does_not_hold_is_not_a_number(engine, box, potential):
    """Beyond the skin: NaN until the step is renewed, then right, and recorded graphs stand."""
    (positions,) = put(engine, box.positions)
    step = engine.capture(positions, box.atomic_numbers, box.cell, box.pbc, stress=True)
    far = box.positions.copy()
    far[0] += 0.4
    positions.set(far)
    step()
    for result in (step.energy, step.energies, step.forces, step.stress):
        assert np.isnan(result.get()).all()
    assert not step.holds()
    assert step.renew()
    wanted = potential.evaluate(replace(box, positions=far), "cpu", stress=True)
    np.testing.assert_allclose(step.forces.get(), wanted.forces, rtol=0, atol=1e-11)
    np.testing.assert_allclose(step.stress.get(), wanted.stress, rtol=0, atol=1e-13)
    step()
    assert step.holds()
    # another size in between takes the buffers: what was recorded does not stand
    for other in (
        random_structure(("H", "O"), 11, 13),
        replace(box, atomic_numbers=box.atomic_numbers[::-1].copy()),
    ):
        engine.compute(other)
        with pytest.raises(OptionError, match=r"evaluated other atoms since .*renew"):
            step()
        assert not step.holds()
        assert not step.renew()
    np.testing.assert_allclose(step.forces.get(), wanted.forces, rtol=0, atol=1e-11)


# ---- refusals --------------------------------------------------------------------------------


def test_refusals(engine, box):
    positions, *rest = on_device(engine, box)
    broken = positions.copy()
    broken[3, 1] = np.nan
    with pytest.raises(StructureError, match=r"position of atom 3 is .*not finite"):
        engine.compute_arrays(broken, *rest)
    step = engine.capture(positions, *rest)
    positions[3, 1] = np.inf
    step()
    with pytest.raises(StructureError, match=r"position of atom 3 is .*not finite"):
        step.holds()
    positions.set(box.positions)
    with pytest.raises(OptionError, match=r"positions have shape \(60,\): \(n, 3\) is expected"):
        engine.compute_arrays(positions.reshape(-1), *rest)
    with pytest.raises(OptionError, match="positions are int64: float32 and float64 are allowed"):
        engine.compute_arrays(positions.astype(np.int64), *rest)
    with pytest.raises(OptionError, match=r"atomic_numbers has shape \(19,\): \(20,\) is expected"):
        engine.compute_arrays(positions, box.atomic_numbers[1:], box.cell, box.pbc)
    with pytest.raises(OptionError, match=r"positions is not in rows \(C order\)"):
        engine.compute_arrays(put(engine, np.zeros((3, 20)))[0].T, *rest)
    with pytest.raises(OptionError, match="positions are a ndarray on the host"):
        engine.capture(box.positions, *rest)
    with pytest.raises(StructureError, match="pbc along all three axes"):
        engine.compute_arrays(positions, box.atomic_numbers, box.cell, False, stress=True)
    numbers = box.atomic_numbers.copy()
    numbers[7] = 79
    with pytest.raises(StructureError, match="Au"):
        engine.compute_arrays(positions, put(engine, numbers)[0], box.cell, box.pbc)
    foreign = cl.CommandQueue(cl.Context([engine.device.queue.device]))
    with pytest.raises(OptionError, match=r"another OpenCL context.*device=<their queue>"):
        engine.compute_arrays(cla.to_device(foreign, box.positions), *rest)
    assert_same(
        engine.compute_arrays(positions, *rest, stress=True), engine.compute(box, True, True)
    )


def test_a_list_that_could_not_be_made_is_no_list(engine, box, potential):
    """No memory while a list is made: the next evaluation starts anew, of the same atoms too."""
    empty = engine.device.empty

    def full(*_):
        raise UnavailableError("no memory")

    for scale in (0.8, 0.7):  # each with more neighbours than there was room for
        other = Structure(box.positions * scale, box.atomic_numbers, box.cell * scale, box.pbc)
        engine.compute(box)
        engine.device.empty = full
        with pytest.raises(UnavailableError, match=r"^no memory$"):
            engine.compute(other)
        engine.device.empty = empty
        for after in (other, box):
            wanted = potential.evaluate(after, "cpu").forces
            np.testing.assert_allclose(engine.compute(after).forces, wanted, rtol=0, atol=1e-11)
