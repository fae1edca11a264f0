"""The CUDA half of the engine on a fake CuPy: calls, streams, kinds of arrays, errors, fallback.

No kernel runs here; tests/test_gpu_device.py holds what a machine with a GPU has to show.
"""

from __future__ import annotations

import sys
import warnings
from types import SimpleNamespace

import fake_cupy
import numpy as np
import pytest

from nnp.engines import auto
from nnp.engines.gpu.device_cupy import COMPILE_OPTIONS
from nnp.errors import OptionError, UnavailableError
from nnp.structure import Structure

BOX = Structure(np.random.default_rng(3).uniform(0, 8, (6, 3)), [14] * 6, np.eye(3) * 8, True)
REST = (BOX.atomic_numbers, BOX.cell, BOX.pbc)


@pytest.fixture
def fake(monkeypatch):
    with fake_cupy.installed(monkeypatch) as module:
        yield module


@pytest.fixture
def engine(fake, silicon):
    engine = silicon.make_engine("gpu", dtype="single")
    engine.compute(BOX)
    fake.log.clear()
    return engine


def array(values):
    return np.array(values).view(fake_cupy.Array)


# ---- what is called ----------------------------------------------------------------------------


def test_the_compiler_gets_text_and_options(fake, silicon):
    engine = silicon.make_engine("gpu", dtype="single")
    engine.prepare()
    # the list's kernels, and the atoms'
    assert [entry for entry in fake.log if entry[0] == "compile"] == [
        ("compile", COMPILE_OPTIONS["single"])
    ] * 2
    assert "__global__" in engine.source
    assert engine.target == "Fake GPU"


def test_arrays_of_cupy(engine, fake):
    positions = array(BOX.positions.astype(np.float32))
    fake.log.clear()
    found = engine.compute_arrays(positions, *REST)
    assert isinstance(found.forces, fake_cupy.Array)
    assert found.forces.dtype == np.float32
    assert fake.launches() == [
        "nnp_take", "nnp_place", "nnp_evaluate_e0", "nnp_finish", "nnp_give",
    ]  # fmt: skip
    # four results, and the report of 16 bytes
    counts = [entry[:2] for entry in fake.log if entry[0] in {"empty", "alloc", "get", "set"}]
    assert counts == [
        ("empty", ()), ("empty", (6,)), ("empty", (6,)), ("empty", (6, 3)), ("get", 16),
    ]  # fmt: skip


def test_a_recorded_step_only_launches(engine, fake):
    step = engine.capture(array(BOX.positions), *REST)
    fake.log.clear()
    step()
    assert {entry[0] for entry in fake.log} == {"launch"}


def test_work_follows_the_callers_stream(engine, fake):
    """On another stream than the last time: after what the last one did, except in a capture."""
    positions = array(BOX.positions)
    step = engine.capture(positions, *REST)
    fake.log.clear()
    with fake_cupy.Stream(5):
        engine.compute_arrays(positions, *REST)
    assert {entry[2] for entry in fake.log if entry[0] == "launch"} == {5}
    assert fake.log[0] == ("wait", 5, ("event", 0))
    fake.log.clear()
    fake.capturing = True
    with fake_cupy.Stream(6):
        step()
    assert {entry[0] for entry in fake.log} == {"launch"}
    assert {entry[2] for entry in fake.log} == {6}


def test_arrays_of_another_device(engine, monkeypatch):
    monkeypatch.setattr(fake_cupy.Array, "device", SimpleNamespace(id=1))
    with pytest.raises(OptionError, match="positions lies on CUDA device 1, the engine on 0"):
        engine.compute_arrays(array(BOX.positions), *REST)


def test_tensors_of_torch(engine, fake, monkeypatch):
    """A tensor that says it is of CUDA: torch's stream, and tensors in return."""
    torch = pytest.importorskip("torch")

    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: SimpleNamespace(cuda_stream=77))
    tensors = [fake_cupy.tensor(a) for a in (BOX.positions, *REST)]
    fake.log.clear()
    found = engine.compute_arrays(*tensors)
    assert {entry[2] for entry in fake.log if entry[0] == "launch"} == {77}
    assert isinstance(found.forces, torch.Tensor)
    assert found.forces.dtype == torch.float64
    take = next(entry for entry in fake.log if entry[:2] == ("launch", "nnp_take"))
    assert take[5][3] == fake_cupy.plain(tensors[0]).data_ptr()


def test_no_memory_for_results(engine, fake):
    fake.memory_error = fake_cupy.OutOfMemoryError("Out of memory allocating 96 bytes")
    with pytest.raises(UnavailableError, match=r"Fake GPU has no 0 MB left \(Out of memory"):
        engine.compute_arrays(array(BOX.positions), *REST)


# ---- what can be missing -----------------------------------------------------------------------

DRIVER = fake_cupy.CUDARuntimeError


def no_driver(fake):
    fake.count_error, fake.driver = DRIVER(35, "cudaErrorInsufficientDriver"), 0


def old_driver(fake):
    fake.count_error, fake.driver = DRIVER(35, "cudaErrorInsufficientDriver"), 12080


def no_device(fake):
    fake.count_error = DRIVER(100, "cudaErrorNoDevice")


def hidden(fake):
    fake.count = 0


def no_compiler(fake):
    fake.nvrtc_error = RuntimeError("CuPy failed to load libnvrtc.so.13")


def too_old(fake):
    fake.architecture = (7, 0)


def far_too_old(fake):
    fake.architecture, fake.nvrtc = (3, 5), (12, 8)


def does_not_compile(fake):
    log = "a note\nnnp.cu(3): error: no such thing\nand 40 lines\nof context"
    fake.compile_error = fake_cupy.CompileException(log)


def no_memory(fake):
    fake.memory_error = fake_cupy.OutOfMemoryError("Out of memory allocating 96 bytes")


FAILURES = {
    no_driver: r"finds no usable NVIDIA driver .*install the driver",
    old_driver: r"made for CUDA 13\.2, the NVIDIA driver knows CUDA 12\.8: install the CuPy of "
    r"the driver's CUDA \(.*cuda12.*or a newer driver",
    no_device: r"finds no NVIDIA GPU .*CUDA_VISIBLE_DEVICES",
    hidden: r"finds no NVIDIA GPU: use",
    no_compiler: r"no CUDA compiler, NVRTC \(.*\): pip install nvidia-cuda-nvrtc",
    too_old: r"Fake GPU has compute capability 7\.0, the CUDA compiler \(NVRTC 13\.5\) makes "
    r"kernels for 7\.5 and newer: pip install .*cuda12",
    far_too_old: r"capability 3\.5, .*NVRTC 12\.8\) makes kernels for 5\.0 and newer: use",
    does_not_compile: r"the CUDA compiler rejects the kernels for Fake GPU \(nnp\.cu\(3\): "
    r"error: no such thing\)",
    no_memory: r"Fake GPU has no \S+ MB left \(Out of memory.*evaluate fewer atoms",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_one_sentence_with_the_way_out(fake, silicon, failure):
    failure(fake)
    with pytest.raises(UnavailableError, match=FAILURES[failure]) as caught:
        silicon.make_engine("gpu").compute(BOX)
    words = str(caught.value)
    assert words.endswith("engine='cpu'")
    assert "\n" not in words


@pytest.mark.parametrize("failure", FAILURES)
def test_auto_says_so_once_and_takes_the_cpu(fake, silicon, failure):
    failure(fake)
    auto._told.clear()
    with pytest.warns(RuntimeWarning, match=r"^engine='auto' takes engine='cpu': ") as told:
        engine = silicon.make_engine("auto")
    assert len(told) == 1
    assert engine.name == "cpu"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert silicon.make_engine("auto").name == "cpu"


def test_auto_without_cupy(silicon, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    auto._told.clear()
    with pytest.warns(RuntimeWarning, match=r"needs CuPy.*'nnp-md\[cuda13\]'"):
        engine = silicon.make_engine("auto", dtype="single")
    assert engine.name == "cpu"
    assert engine.compute(BOX).forces is not None


def test_auto_takes_the_gpu(fake, silicon):
    engine = silicon.make_engine("auto", dtype="single")
    assert engine.name == "gpu"
    assert fake.launches() == []
    assert "__global__" in engine.chosen.source


def test_auto_changes_over_when_memory_runs_out(fake, silicon):
    auto._told.clear()
    engine = silicon.make_engine("auto")
    no_memory(fake)
    wanted = silicon.evaluate(BOX, "cpu")
    with pytest.warns(RuntimeWarning, match="MB left"):
        found = engine.compute(BOX)
    assert (found.forces == wanted.forces).all()
    assert engine.name == "cpu"
    assert engine.threads >= 1


@pytest.mark.usefixtures("fake")
def test_auto_leaves_other_errors(silicon):
    engine = silicon.make_engine("auto")
    with pytest.raises(OptionError, match="dl_dg has 1 numbers"):
        engine.descriptor_vjp(BOX, np.ones(1))
    assert engine.name == "gpu"
    with pytest.raises(OptionError, match="has no option 'colour'"):
        silicon.make_engine("auto", colour="red")


def test_options_of_the_cpu_choose_it(fake, silicon):
    assert silicon.make_engine("auto", threads=1).name == "cpu"
    assert fake.log == []


def test_options_of_the_gpu_need_it(fake, silicon):
    hidden(fake)
    with pytest.raises(UnavailableError, match="no NVIDIA GPU"):
        silicon.make_engine("auto", device=0)


def test_no_such_device(fake, silicon):
    with pytest.raises(OptionError, match="device=3: devices are 0 to 0"):
        silicon.make_engine("gpu", device=3)
    assert fake.launches() == []
