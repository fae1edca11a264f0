"""Training on a CUDA device: behind a fake one, and (marked) on a real one."""

from __future__ import annotations

import importlib
from functools import cache

import numpy as np
import pytest
import torch
from fake_cuda import CUDA, FakeCudaTensor, fake_cuda
from train_data import dataset, settings, write_config

import nnp
from nnp.cli import main
from nnp.errors import OptionError, UnavailableError
from nnp.structure import Structure
from nnp.train.fit.checkpoint import read_checkpoint
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import find_device
from nnp.train.fit.optimizers import KINDS, OptimizerSettings
from nnp.train.fit.optimizers.first_order import GradientSettings, LbfgsSettings
from nnp.train.fit.optimizers.kalman import Kalman, KalmanSettings
from nnp.train.fit.settings import RunSettings
from nnp.train.fit.task import build
from nnp.train.fit.trainer import BEST, CHECKPOINT, Trainer, fingerprint
from nnp.train.inputs import product_engines
from nnp.train.inputs.features import FeatureMaker

ELEMENTS = ("H", "O")


@cache
def labelled():
    return dataset(ELEMENTS, count=4, n=5)


def fit(folder, kind, device, epochs=2, resume=False, **run):
    """A short fit to energies, forces and stresses with all terms of the loss."""
    optimizer = OptimizerSettings(
        kind,
        batch=2,
        lbfgs=LbfgsSettings(2, history=2),
        kalman=KalmanSettings(fading=False, candidates=7, threshold=0.5, process_noise=1e-6),
        gradient=GradientSettings(clip=1.0),
    )
    chosen = settings(
        folder,
        optimizer=optimizer,
        loss=LossSettings(stress=1.0, l2=1e-4, kind="huber"),
        run=RunSettings(epochs=epochs, seed=3, output=str(folder), device=device, **run),
    )
    data = labelled()
    task = build(chosen, data.subset(range(3)), data.subset([3]), quiet=True)
    Trainer(chosen, task, quiet=True).run(resume)
    return task, read_checkpoint(folder / CHECKPOINT, fingerprint(chosen, task))


class ArrayEngine:
    """The GPU engine's products of arrays, by the CPU's; as there, what it gives is new memory."""

    def __init__(self, engine):
        self.engine = engine

    def asked(self, product, atoms, *given):
        positions, *rest = atoms
        assert type(positions) is FakeCudaTensor
        assert positions.dtype == torch.float64
        assert not any(isinstance(part, torch.Tensor) for part in rest)
        for tensor in given:
            if isinstance(tensor, torch.Tensor):
                assert tensor.dtype == torch.float64
                assert tensor.inside.is_contiguous()
        structure = Structure(positions.cpu().numpy(), *rest)
        given = [g.cpu().numpy() if isinstance(g, torch.Tensor) else g for g in given]
        return torch.from_numpy(product(structure, *given)).to(CUDA)

    def descriptors_arrays(self, *atoms):
        return self.asked(lambda s: np.concatenate(self.engine.descriptors(s)), atoms)

    def descriptor_vjp_arrays(self, *arguments):
        *atoms, dl_dg = arguments
        return self.asked(lambda *a: self.engine.descriptor_vjp(*a)[0], atoms, dl_dg), None

    def descriptor_jvp_arrays(self, *arguments):
        return self.asked(self.engine.descriptor_jvp, arguments[:4], *arguments[4:])


@pytest.fixture
def cuda(monkeypatch):
    """A fake device with an engine that wants its tensors."""
    create = product_engines.create_engine

    def instead(potential, name, **options):
        if name == "cpu":
            return create(potential, name, **options)
        assert (name, options.pop("device")) == ("gpu", 0)
        return ArrayEngine(create(potential, "cpu", **options))

    monkeypatch.setattr(product_engines, "create_engine", instead)
    return lambda: fake_cuda(monkeypatch)


def lower_halves(state):
    """A state with the half of the covariance that the CPU keeps."""
    if "pending" not in state or "lower" in state:
        return state
    return {k: v for k, v in state.items() if k != "covariance"} | {
        "lower": np.tril(state["covariance"])
    }


def same(one, two, tolerance=1e-12):
    """Checkpoints with the same numbers."""
    for name in ("theta", "best_theta"):
        a, b = getattr(one, name), getattr(two, name)
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance * float(a.abs().max()))
    first, second = lower_halves(one.optimizer), lower_halves(two.optimizer)
    assert first.keys() == second.keys()
    for name, array in first.items():
        limit = tolerance * np.abs(array).max(initial=0)
        np.testing.assert_allclose(second[name], array, rtol=0, atol=limit)
    assert one.rows[-1]["valid_loss"] == pytest.approx(two.rows[-1]["valid_loss"], rel=1e-11)


@pytest.mark.parametrize(
    ("kind", "store"),
    [(kind, True) for kind in KINDS] + [("kalman", False), ("levenberg_marquardt", False)],
)
def test_a_device_learns_what_the_cpu_does(tmp_path, cuda, kind, store):
    task, wanted = fit(tmp_path / "cpu", kind, "cpu", store_columns=store)
    with cuda():
        there, found = fit(tmp_path / "cuda", kind, "cuda", store_columns=store)
    assert isinstance(there.theta, FakeCudaTensor)
    sample = there.train[0]
    held = [*sample.inputs, *sample.strain, sample.labels.forces, *sample.place.atoms]
    held += [t for c in sample.columns or [] for t in (c.centers, c.values)]
    assert all(isinstance(t, FakeCudaTensor) for t in held)
    assert (sample.columns is not None) == (task.train[0].columns is not None)
    same(wanted, found)
    names = ({p.name for p in (tmp_path / d).iterdir()} for d in ("cpu", "cuda"))
    assert len(set(map(frozenset, names))) == 1


@pytest.mark.parametrize("kind", ["kalman", "adam", "lbfgs"])
def test_a_run_goes_on_where_the_other_device_stopped(tmp_path, cuda, kind):
    _, wanted = fit(tmp_path / "whole", kind, "cpu", 3)
    fit(tmp_path / "halves", kind, "cpu", 1)
    with cuda():
        fit(tmp_path / "halves", kind, "cuda:0", 2, resume=True)
    _, found = fit(tmp_path / "halves", kind, "cpu", 3, resume=True)
    same(wanted, found)
    models = [nnp.load(tmp_path / name / BEST) for name in ("whole", "halves")]
    assert models[0].provenance == models[1].provenance


BAD_NAMES = {"gpu": "device = 'gpu': allowed are 'cpu', 'cuda'", "cuda:": "device = 'cuda:'"}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_no_device(name):
    with pytest.raises(OptionError, match=BAD_NAMES[name]):
        RunSettings(device=name)


def test_no_cuda_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for version, why in (("12.8", "finds no usable NVIDIA GPU"), (None, "built without CUDA")):
        monkeypatch.setattr(torch.version, "cuda", version)
        with pytest.raises(UnavailableError, match=rf"'cuda:0': .*{why}.*device = 'cpu'"):
            find_device("cuda:0")


def test_more_devices_are_asked_for_than_there_are(monkeypatch):
    with fake_cuda(monkeypatch, count=2):
        assert find_device("cuda:1") == torch.device("cuda", 1)
        with pytest.raises(UnavailableError, match=r"GPU number 2, counted from 0; GPUs here: 2\."):
            find_device("cuda:2")
        monkeypatch.setenv("LOCAL_RANK", "1")
        assert find_device("cuda") == torch.device("cuda", 1)
        monkeypatch.setenv("LOCAL_RANK", "3")
        with pytest.raises(UnavailableError, match=r"process 3 .* needs GPU number 3.*--nproc-per"):
            find_device("cuda")


@pytest.mark.parametrize("where", ["preparing", "training"])
def test_full_memory_says_what_needs_less(tmp_path, monkeypatch, cuda, where, capsys):
    target = (FeatureMaker, "sample") if where == "preparing" else (Kalman, "step")

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(*target, full)
    with cuda():
        assert main(["train", str(write_config(tmp_path)), "--device", "cuda"]) == 1
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("nnp: error: cuda:0 has no memory left")


def test_the_fake_refuses_what_a_device_would(monkeypatch):
    with fake_cuda(monkeypatch):
        there, here = torch.ones(3, device="cuda:0"), torch.ones(3)
        for wrong in (lambda: there + here, lambda: torch.cat([here, there])):
            with pytest.raises(RuntimeError, match="same device"):
                wrong()
        with pytest.raises(RuntimeError, match="not supported"):
            there.numpy()
        assert float((there + there.add_(1)).sum()) == 12
        assert type(there.cpu()) is torch.Tensor


@pytest.mark.slow
def test_a_fit_with_products_of_the_gpu_kernels(tmp_path, monkeypatch):
    """Their OpenCL form on whatever device there is; rounding, amplified by six steps."""
    pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    _, wanted = fit(tmp_path / "cpu", "kalman", "cpu", store_columns=False)
    create, made = product_engines.create_engine, []

    def instead(potential, name, threads, **options):
        kind = {"threads": threads} if not made else {}  # statistics are the CPU's
        if made:  # it has a precision of its own
            options.pop("dtype")
        made.append(create(potential, "opencl" if made else name, **options, **kind))
        return made[-1]

    monkeypatch.setattr(product_engines, "create_engine", instead)
    try:
        _, found = fit(tmp_path / "opencl", "kalman", "cpu", store_columns=False)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert [engine.name for engine in made] == ["cpu", "opencl"]
    same(wanted, found, 1e-8)


@pytest.fixture
def real():
    try:
        find_device("cuda")
        importlib.import_module("nnp.engines.gpu.cuda_driver").import_cupy()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.gpu
@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("store", [True, False], ids=["stored", "computed"])
def test_a_real_device_learns_what_the_cpu_does(tmp_path, kind, store):
    """Sums in another order, amplified by a few steps."""
    _, wanted = fit(tmp_path / "cpu", kind, "cpu", store_columns=store)
    _, found = fit(tmp_path / "cuda", kind, "cuda", store_columns=store)
    same(wanted, found, 1e-8)
    fit(tmp_path / "cuda", kind, "cpu", 3, resume=True)


@pytest.mark.gpu
@pytest.mark.usefixtures("real")
def test_a_resumed_run_on_a_real_device_is_the_same_bit_for_bit(tmp_path):
    _, wanted = fit(tmp_path / "whole", "kalman", "cuda", 3)
    fit(tmp_path / "halves", "kalman", "cuda", 1)
    _, found = fit(tmp_path / "halves", "kalman", "cuda", 3, resume=True)
    same(wanted, found, 0)
