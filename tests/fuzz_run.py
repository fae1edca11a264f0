"""Damages every kind of file many times and counts what comes of it; a result or an NNPError.

    python tests/fuzz_run.py --count 500          the table of docs/reliability.md
    python tests/fuzz_run.py --kind model --seed 7 --keep FOLDER

Each kind runs in child processes, which a reader may kill (segmentation fault), block (5 s of the
processor) or
fill (1 GiB of address space beyond what the libraries take): the parent counts that as a fault
and goes on behind the file that did it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

SECONDS = 5  # of the processor
BLOCKED = 40  # seconds by the clock, on a machine that others use
BYTES = 2**30
HERE = Path(__file__).resolve().parent


def run_kind(kind, count, seed=0, keep=None):
    """Counts of results, refusals and faults of one kind, and the faults as text.

    Args:
        kind: a key of `fuzz_kinds.KINDS`.
        count: how many damaged files.
        seed: of the damage.
        keep: a folder for the files that made faults.
    """
    counts, faults, done = Counter(), [], 0
    while done < count:
        words = [sys.executable, __file__, "--child", kind, str(seed), str(done), str(count)]
        with subprocess.Popen(
            words + ([str(keep)] if keep else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            before = done
            for number, outcome, text in _answers(child):
                counts[outcome] += 1
                done = number + 1
                if outcome not in ("result", "refusal"):
                    faults.append(f"{kind} {number}: {outcome}: {text}")
            if done < count and done == before:
                error = child.stderr.read().decode()[-2000:]
                raise RuntimeError(f"{kind}: the child does not start: {error}")
    return counts, faults


def _answers(child):
    """(number, outcome, text) of each file; what ends the child is the outcome of its last one."""
    started = None
    pending = b""
    limit = 120.0  # imports and the first file
    while True:
        ready, _, _ = select.select([child.stdout], [], [], limit)
        chunk = child.stdout.read1(65536) if ready else None
        if not chunk:
            if chunk is None:
                child.kill()
            code = child.wait()
            if started is not None:
                what = "hang" if chunk is None else f"ended by {signal_name(code)}"
                yield started, what, "" if chunk is None else child.stderr.read().decode()[-300:]
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if len(answer) == 1:  # begun
                started, limit = answer[0], BLOCKED
            else:
                started = None
                yield tuple(answer)


def signal_name(code):
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


# ---- the child ------------------------------------------------------------------------------


def child(kind, seed, start, stop, keep=None):
    """Reads the files [start, stop), one line before and one after each."""
    import fuzz_kinds
    from fuzz_mutations import mutate

    from nnp.errors import NNPError

    fuzz_kinds.quiet()
    out = sys.stdout
    sys.stdout = sys.stderr
    make, read = fuzz_kinds.KINDS[kind]
    with tempfile.TemporaryDirectory() as scratch:
        good = Path(scratch) / "good"
        good.mkdir()
        path, names = make(good)
        read(path)  # the undamaged one, and all imports
        _limit_memory()
        for number in range(start, stop):
            _say(json.dumps([number]), out)
            rng = random.Random(f"{kind} {seed} {number}")  # noqa: S311
            damaged = Path(scratch) / "damaged"
            shutil.copytree(good, damaged)
            name = rng.choice(names)
            accident, data = mutate((good / name).read_bytes(), rng)
            (damaged / name).write_bytes(data)
            began = time.process_time()
            outcome, text = "result", ""
            try:
                read(damaged / path.relative_to(good))
            except NNPError as error:
                outcome = "refusal"
                if len(str(error)) > 2000 or "\0" in str(error):
                    outcome, text = "unreadable message", str(error)[:200]
            except MemoryError:
                outcome, text = "memory", accident
            except BaseException as error:  # noqa: BLE001  that is what is looked for
                frame = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(frame.filename).name}:{frame.lineno}"
                outcome = "traceback"
                text = f"{type(error).__name__} {str(error)[:150]!r} in {where} after {accident}"
            if time.process_time() - began > SECONDS:
                outcome, text = "slow", f"{time.process_time() - began:.1f} s after {accident}"
            if keep and outcome not in ("result", "refusal"):
                shutil.copytree(damaged, Path(keep) / f"{kind} {number}", dirs_exist_ok=True)
            shutil.rmtree(damaged)
            _say(json.dumps([number, outcome, text]), out)


def _limit_memory():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, hard))


def main():
    if sys.argv[1:2] == ["--child"]:
        kind, seed, start, stop, *keep = sys.argv[2:]
        child(kind, int(seed), int(start), int(stop), *keep)
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="files per kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", nargs="+", help="which; all where none is given")
    parser.add_argument("--keep", help="folder for the files that made faults")
    arguments = parser.parse_args()
    import fuzz_kinds

    total, faults = Counter(), []
    _say("| kind | files | results | refusals | faults |\n|---|---|---|---|---|")
    for kind in arguments.kind or fuzz_kinds.KINDS:
        counts, found = run_kind(kind, arguments.count, arguments.seed, arguments.keep)
        _say(_row(kind, counts))
        total += counts
        faults += found
    _say(_row("all", total))
    _say("\n".join(faults), sys.stderr)
    sys.exit(bool(faults))


def _say(text, stream=None):
    stream = stream or sys.stdout
    stream.write(text + "\n")
    stream.flush()


def _row(kind, counts):
    good = counts["result"], counts["refusal"]
    numbers = (counts.total(), *good, counts.total() - sum(good))
    return f"| {kind} | " + " | ".join(map(str, numbers)) + " |"


if __name__ == "__main__":
    main()
