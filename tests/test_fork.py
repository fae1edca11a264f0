"""Warm engines in forked processes, and threads that still evaluate when the process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

# What every script begins with: an engine whose three threads wait for work, and its answer.
WARM = """
import gc, multiprocessing, os, sys, threading, time
import nnp
from nnp.testing import random_potential
from ase.build import bulk

def sum_of_energies(frames, potential):
    return sum(potential.evaluate(frame, threads=3).energy for frame in frames)

potential = random_potential(("Si",), seed=1, families=("radial", "angular_narrow"))
atoms = bulk("Si", cubic=True) * (3, 3, 3)
atoms.rattle(0.05)
for _ in range(3):
    energy = potential.evaluate(atoms, threads=3).energy
    time.sleep(0.02)  # the threads go to sleep: that is the state that a fork copies

def check():
    for _ in range(20):
        assert potential.evaluate(atoms, threads=3).energy == energy
        time.sleep(0.002)
"""


def run(script, head=WARM):
    """Run a script in a process of its own, for what it tests would hang or kill this one."""
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.split()


FORK = """
child = os.fork()
if child == 0:
    {work}
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
check()
print("done")
"""


@pytest.mark.parametrize(
    "work",
    [
        "check()",
        "check(); del potential; gc.collect()",  # waits for no thread of the parent's
        "potential._engines.clear(); gc.collect()",
    ],
)
def test_a_forked_process_has_threads_of_its_own(work):
    assert run(FORK.format(work=work)) == ["done"]


def test_fork_of_a_fork():
    inner = "check(); grandchild = os.fork(); check(); grandchild or os._exit(0); os.wait()"
    assert run(FORK.format(work=inner)) == ["done"]


def test_fork_while_another_thread_evaluates():
    """The lock of the engine is held and its list half made, by a thread that the child lacks."""
    script = """
    def evaluate():
        while not stop:
            potential.evaluate(other, threads=3)

    other, stop = bulk("Si", cubic=True) * (5, 5, 5), False
    other.rattle(0.1)
    thread = threading.Thread(target=evaluate)
    thread.start()
    for _ in range(8):
        time.sleep(0.03)
        child = os.fork()
        if child == 0:
            check()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    stop = True
    thread.join()
    print("done")
    """
    assert run(script) == ["done"]


def test_multiprocessing_fork():
    script = """
    def work(number):
        check()
        return number

    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(*pool.map(work, range(4)))
    """
    assert run(script) == ["0", "1", "2", "3"]


def test_forkserver_that_has_evaluated(tmp_path, monkeypatch):
    """A module that is warm in the server, from which the workers are forked."""
    (tmp_path / "warm_module.py").write_text(WARM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    script = """
    import multiprocessing, warm_module

    if __name__ == "__main__":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["warm_module"])
        with context.Pool(2) as pool:
            pool.starmap(warm_module.check, [()] * 4)
        print("done")
    """
    assert run(script, head="") == ["done"]


def test_torch_data_loader():
    pytest.importorskip("torch")
    script = """
    import torch

    class Labelled(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, number):
            check()
            return number

    loader = torch.utils.data.DataLoader(
        Labelled(), batch_size=2, num_workers=2, multiprocessing_context="fork"
    )
    print(*sorted(int(number) for batch in loader for number in batch))
    """
    assert run(script) == [str(number) for number in range(6)]


def test_the_reference_engine_after_a_fork():
    pytest.importorskip("torch")
    script = """
    import torch

    torch.set_num_threads(2)
    potential.evaluate(atoms, "reference")
    """ + FORK.format(work="potential.evaluate(atoms, 'reference')")
    assert run(textwrap.dedent(script)) == ["done"]


def test_exit_while_a_thread_evaluates():
    """The engine is not taken from under a daemon thread."""
    script = """
    atoms = atoms * (3, 3, 3)

    def evaluate():
        while True:
            potential.evaluate(atoms, threads=3)

    threading.Thread(target=evaluate, daemon=True).start()
    time.sleep(0.3)
    print("done")
    """
    for _ in range(3):
        assert run(script) == ["done"]


def test_threads_that_the_system_refuses():
    """The message says so, nothing hangs, and the engine works when there is room again."""
    script = """
    import resource

    fresh = random_potential(("Si",), seed=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 40_000_000, hard))
    try:
        fresh.evaluate(atoms, threads=64)
    except (nnp.NNPError, MemoryError) as error:
        print(type(error).__name__)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    fresh.evaluate(atoms, threads=64)
    print("done")
    """
    refused, done = run(script)
    assert refused in ("UnavailableError", "MemoryError")
    assert done == "done"


@pytest.mark.parametrize("made", ["warm", "new"])
def test_gpu_engines_refuse_a_forked_process(made):
    """Neither OpenCL nor CUDA survives a fork: PoCL hung."""
    pytest.importorskip("pyopencl")
    script = """
    try:
        warm = potential.make_engine("opencl")
    except nnp.NNPError as error:
        print("no device:", error)
        sys.exit()
    warm.compute(nnp.structure.as_structure(atoms), True, False)
    child = os.fork()
    if child == 0:
        try:
            engine = warm if MADE == "warm" else potential.make_engine("opencl")
            engine.compute(nnp.structure.as_structure(atoms), True, False)
        except nnp.NNPError as error:
            check()  # the CPU engine works
            os._exit(7 if "start it by spawn" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print("done")
    """
    answer = run(f"MADE = {made!r}\n" + textwrap.dedent(script))
    if answer[:2] == ["no", "device:"]:
        pytest.skip(" ".join(answer))
    assert answer == ["done"]
