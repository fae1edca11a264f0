"""Memory: what there is, what a fit takes of it, and what is done with too little."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, settings  # noqa: E402

from nnp.errors import OptionError, UnavailableError  # noqa: E402
from nnp.memory import available_memory, used_memory  # noqa: E402
from nnp.train.fit import memory  # noqa: E402
from nnp.train.fit.choosing import choose  # noqa: E402
from nnp.train.fit.initial import NetworkSettings  # noqa: E402
from nnp.train.fit.memory import memory_of, plan_memory  # noqa: E402
from nnp.train.fit.objective import Objective  # noqa: E402
from nnp.train.fit.optimizers import OptimizerSettings  # noqa: E402
from nnp.train.fit.optimizers.kalman import KalmanSettings  # noqa: E402
from nnp.train.fit.settings import RunSettings  # noqa: E402
from nnp.train.fit.task import Task, make_model, prepare  # noqa: E402
from nnp.train.fit.trainer import Trainer  # noqa: E402


def written(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_least_of_all_limits_is_what_there_is(tmp_path):
    assert available_memory(tmp_path) is None
    written(tmp_path, proc__meminfo="MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert available_memory(tmp_path) == 5000 * 1024
    written(
        tmp_path,
        proc__self__cgroup="5:cpu:/\n4:memory:/a/b\n0::/x/y\n",
        sys__fs__cgroup__memory__a__memoryDOTlimit_in_bytes="4000000\n",
        sys__fs__cgroup__memory__a__memoryDOTusage_in_bytes="1000000\n",
        sys__fs__cgroup__memory__a__memoryDOTstat="cache 7\ntotal_inactive_file 500\n",
        sys__fs__cgroup__memory__memoryDOTlimit_in_bytes="9223372036854771712\n",
        sys__fs__cgroup__memory__memoryDOTusage_in_bytes="1\n",
    )
    assert available_memory(tmp_path) == 3000500  # a group above this process' own
    written(
        tmp_path,
        sys__fs__cgroup__x__y__memoryDOTmax="max\n",
        sys__fs__cgroup__x__y__memoryDOTcurrent="10\n",
        sys__fs__cgroup__x__memoryDOTmax="2000\n",
        sys__fs__cgroup__x__memoryDOTcurrent="1500\n",
    )
    assert available_memory(tmp_path) == 500


def test_this_process_has_some_memory():
    if not used_memory():
        pytest.skip("only Linux tells")
    program = (
        "import numpy as np; from nnp.memory import used_memory as used; "
        "before = used(); block = np.ones(8_000_000); print((used() - before) / block.nbytes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )  # afresh: here freed memory may be taken again
    assert float(done.stdout) > 0.9


def chosen_of(made, count=6):
    data = dataset(("H", "O"), count)
    return choose(made, data.subset(range(count - 2)), data.subset([count - 2, count - 1]), True)


def with_memory(made, gigabytes, **changes):
    return replace(made, run=replace(made.run, max_memory=gigabytes, **changes))


def test_what_does_not_fit_is_made_anew_and_learns_the_same(monkeypatch, tmp_path):
    """Two of four samples in memory; steps see the same numbers, and so does a resumed run."""
    monkeypatch.setattr(memory, "used_memory", lambda: 0)
    made = settings(tmp_path / "a", run=RunSettings(epochs=2, output=str(tmp_path / "a")))
    chosen = chosen_of(made)
    whole = prepare(made, chosen, True)
    room = sum(sample.nbytes for sample in whole.train[:2])
    parted = prepare(made, chosen, True, room)
    assert (whole.train.kept, whole.validation.kept) == (4, 2)
    assert (parted.train.kept, parted.validation.kept) == (2, 0)
    assert parted.train[0].columns is not None is not whole.train[3].columns
    assert parted.train[3].columns is None
    results = []
    for name, prepared in (("a", whole), ("b", parted)):
        run = replace(made.run, output=str(tmp_path / name))
        model, theta = make_model(made, prepared)
        task = Task(**vars(prepared), model=model, theta=theta)
        results.append(Trainer(replace(made, run=run), task, quiet=True).run())
    first, second = (result.rows[-1] for result in results)
    assert {**first, "seconds": 0} == pytest.approx({**second, "seconds": 0}, rel=1e-9, nan_ok=True)


def test_counting_labels_makes_no_sample():
    made = settings()
    prepared = prepare(made, chosen_of(made), True, room=0)
    model, _ = make_model(made, prepared)
    wanted = vars(Objective(model, made.loss).counts(list(prepared.train)))
    prepared.train._make = None  # would fail
    assert vars(Objective(model, made.loss).counts(prepared.train)) == wanted


@pytest.mark.parametrize("kind", ["kalman", "levenberg_marquardt"])
def test_an_optimiser_without_room_is_refused(kind, monkeypatch):
    made = settings(
        optimizer=OptimizerSettings(kind, kalman=KalmanSettings(decoupling="none")),
        network=NetworkSettings(hidden=(20, 20)),
    )
    chosen = chosen_of(made)
    needed = memory_of(made, chosen).fixed
    monkeypatch.setattr(memory, "available_memory", lambda: needed / 0.8 + 1)
    plan_memory(made, chosen)
    monkeypatch.setattr(memory, "available_memory", lambda: needed / 0.8 - 1e5)
    with pytest.raises(
        UnavailableError, match=rf"'{kind}' needs .* [MG]B for \d+ weights, there are"
    ):
        plan_memory(made, chosen)
    parted = OptimizerSettings("kalman", kalman=KalmanSettings(decoupling="node"))
    line = plan_memory(replace(made, optimizer=parted), chosen).lines[-1]
    assert "covariance by node: " in line
    assert " instead of " in line


def test_a_batch_holds_no_more_than_the_data():
    made = [settings(optimizer=OptimizerSettings("kalman", batch=n)) for n in (4, 10**6)]
    chosen = chosen_of(made[0])
    assert chosen.n_train == 4
    assert memory_of(made[0], chosen).fixed == memory_of(made[1], chosen).fixed


def test_columns_that_must_be_stored_need_room(monkeypatch):
    monkeypatch.setattr(memory, "used_memory", lambda: 0)
    made = settings()
    chosen = chosen_of(made)
    counted = memory_of(made, chosen)
    little = (counted.fixed + 0.5 * counted.samples) / 1e9
    lines = plan_memory(with_memory(made, little), chosen).lines
    assert "those of 50% of the structures are kept" in lines[1]
    with pytest.raises(UnavailableError, match=r"store_columns = true: .* left of run.max_memory"):
        plan_memory(with_memory(made, little, store_columns=True), chosen)
    with pytest.raises(OptionError, match="max_memory = 0: GB above 0"):
        with_memory(made, 0)
