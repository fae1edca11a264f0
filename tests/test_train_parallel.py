"""Several processes: the same result as one, and one set of files."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from nnp.train.fit.machine import Ranks
from nnp.train.fit.optimizers import KINDS
from nnp.train.fit.trainer import CHECKPOINT

HERE = Path(__file__).parent
needs_gloo = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available()), reason="torch has no gloo here"
)


def launch(folder, *launcher):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, *launcher, str(HERE / "train_ranks.py"), str(folder)]
    # processes that disagree wait for one another for ever
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """What one process writes, and what two write together."""
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    launch(one)
    launch(two, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    return one, two


def read(folder, kind):
    with np.load(folder / kind / CHECKPOINT) as archive:
        theta = archive["theta"]
    with (folder / kind / "log.csv").open(newline="") as file:
        return theta, list(csv.DictReader(file))


@needs_gloo
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_learn_what_one_does(folders, kind):
    (one, log_1), (two, log_2) = (read(folder, kind) for folder in folders)
    # sums in another order, amplified by 8 to 30 steps
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-9 * np.abs(one).max())
    assert [row["epoch"] for row in log_1] == [row["epoch"] for row in log_2] == ["1", "2", "3"]
    for row_1, row_2 in zip(log_1, log_2, strict=True):
        for name in set(row_1) - {"seconds"}:
            assert float(row_2[name]) == pytest.approx(float(row_1[name]), rel=1e-7)


@needs_gloo
@pytest.mark.slow
def test_rank_zero_writes_what_one_process_writes(folders):
    one, two = ({str(p.relative_to(f)) for p in f.rglob("*")} for f in folders)
    assert one == two


def test_one_process_is_alone():
    alone = Ranks()
    rows = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(alone.rows(rows), rows)
    total = rows.clone()
    alone.add(total)
    assert torch.equal(total, rows)
    assert alone.gather("x") == ["x"]
    assert alone.writes
    shares = [[n for n in range(7) if Ranks(rank, 3).owns(n)] for rank in range(3)]
    assert sorted(number for share in shares for number in share) == list(range(7))
