"""Runs the parts of a GPU measurement in the order of their worth; see run_all.sh.

Each part is a script in ``parts`` that writes one JSON. It has its own process and time limit: what
ends it ends nothing else. After each part index.html is drawn again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from page import draw

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Part:
    """One script, with its arguments and the seconds it may take on a GPU."""

    name: str
    script: str
    seconds: int
    arguments: tuple[str, ...] = ()


PARTS = (
    Part("compiles", "compiles", 180),
    Part("answers", "answers", 180),
    Part("latency", "speed", 90, ("water", "--latency")),
    Part("tests", "tests", 240),
    Part("water", "speed", 180, ("water",)),
    Part("silicon", "speed", 150, ("silicon",)),
    Part("nep", "speed", 150, ("nep",)),
    Part("openmm", "openmm_speed", 180),
    Part("profile", "profile", 90),
    Part("drift", "drift", 120),
    Part("sanitizer", "sanitizer", 180),
    Part("lammps", "beside_lammps_cpu", 120),
)


def run(part: Part, options: argparse.Namespace, left: float) -> dict[str, object]:
    """Run one part; what became of it."""
    path = options.out / f"{part.name}.json"
    path.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "parts" / f"{part.script}.py"), *part.arguments]
    command += ["--json", str(path), "--engine", options.engine]
    command += ["--small"] if options.small else []
    paths = [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if options.engine == "opencl":  # what PoCL needs for these kernels: docs/gpu_engine.md
        environment.setdefault("POCL_EXTRA_BUILD_FLAGS", "-cl-opt-disable")
    begin = time.monotonic()
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False,
            timeout=max(10.0, min(part.seconds, left)),
        )  # fmt: skip
        code, words = done.returncode, done.stdout[-2000:] + done.stderr[-4000:]
    except subprocess.TimeoutExpired as late:
        code, words = -1, f"ended after {late.timeout:.0f} s"
    found: dict[str, object] = {"part": part.name, "code": code}
    found["seconds"] = round(time.monotonic() - begin, 1)
    if path.is_file():  # what a part had measured before it failed counts
        found["result"] = json.loads(path.read_text())
    if code != 0:
        found["output"] = words
    path.write_text(json.dumps(found, indent=1) + "\n")
    return found


def main() -> None:
    """All parts, until the time is over; exit 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--engine", default="gpu", choices=["gpu", "opencl"])
    parser.add_argument("--small", action="store_true", help="a rehearsal: sizes for a CPU")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS])
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--started", type=float, default=time.time(), help="seconds since 1970")
    options = parser.parse_args()
    end = options.started + 60 * options.minutes
    failed = []
    for part in PARTS:
        if options.only and part.name not in options.only:
            continue
        if time.time() > end:
            print(f"{part.name:10} not begun: {options.minutes:.0f} minutes are over", flush=True)
            continue
        found = run(part, options, end - time.time())
        skipped = found.get("result", {}).get("skipped", "")  # type: ignore[attr-defined]
        word = "failed" if found["code"] else f"skipped: {skipped}" if skipped else "done"
        print(f"{part.name:10} {found['seconds']:7.1f} s  {word}", flush=True)
        if found["code"]:
            failed.append(part.name)
            print(str(found.get("output", ""))[-1500:], flush=True)
        draw(options.out)
    print(f"{options.out / 'index.html'} shows it all")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
