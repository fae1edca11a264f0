"""The kernels of a step: time, registers, local memory, occupancy; and the gaps between launches.

Share of peak: with Nsight Compute (``ncu``) where it is installed; else of the device's memory
bandwidth, by the bytes that docs/gpu_engine.md counts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

import numpy as np
from subjects import WARM_UP, box_of, clock_of, options_of, potential_of

BYTES_PER_ATOM = {"water": 6500, "silicon": 2500}  # docs/gpu_engine.md, single precision
HEAVIEST = 3
ROUNDS = 20
_OF_PEAK = "throughput.avg.pct_of_peak_sustained_elapsed"
NCU_METRICS = f"sm__{_OF_PEAK},dram__{_OF_PEAK}"


def main() -> None:
    """One row per kernel, the heaviest first."""
    options, result = options_of(__doc__, "--bare")
    for name, size in (("water", 69120), ("silicon", 64000)):
        potential, _ = potential_of(name, options.small)
        box = box_of(name, 24 if options.small else size)
        engine: Any = potential.make_engine(options.engine, dtype="single")
        clock = clock_of(engine)
        positions, rest = clock.array(box.positions), (box.atomic_numbers, box.cell, box.pbc)
        step = engine.capture(positions, *rest)
        if options.bare:  # under ncu
            step()
            clock.finish()
            continue
        whole = float(np.median([clock.seconds(step) for _ in range(ROUNDS)][WARM_UP:]))
        kernels = _by_kernel(engine, clock, step)
        inside = sum(seconds for seconds, _ in kernels.values())
        for kernel, (seconds, facts) in sorted(kernels.items(), key=lambda k: -k[1][0])[:HEAVIEST]:
            row = {"system": name, "atoms": len(box), "kernel": kernel, "us": 1e6 * seconds}
            row |= {"share": seconds / inside, **facts}
            result.row(**row)
        gaps = {"step us": 1e6 * whole, "kernels us": 1e6 * inside}
        gaps["bytes/s by count"] = BYTES_PER_ATOM[name] * len(box) / whole
        result[f"{name} gaps"] = gaps
    if not options.bare:
        result["ncu"] = _ncu(options)


def _by_kernel(engine: Any, clock: Any, step: Any) -> dict[str, tuple[float, dict[str, Any]]]:
    """Kernel → median seconds, and what is known of it, with an event around each launch."""
    device, launch, times = engine.device, engine.device.launch, {}

    def timed(kernel: int, groups: int, size: int, arguments: int) -> None:
        seconds = clock.seconds(lambda: launch(kernel, groups, size, arguments))
        times.setdefault(kernel, []).append((seconds, groups, size))

    device.launch = timed
    try:
        for _ in range(ROUNDS):
            step()
    finally:
        del device.launch
    found = {}
    for kernel, calls in times.items():
        seconds = float(np.median([call[0] for call in calls][WARM_UP:] or [calls[0][0]]))
        function = device._kernels[kernel][0]  # noqa: SLF001 - a measurement looks inside
        name = str(getattr(function, "name", None) or getattr(function, "function_name", kernel))
        facts: dict[str, Any] = {"groups": calls[0][1], "threads": calls[0][2]}
        found[name] = seconds, facts | _attributes(function, calls[0][2])
    return found


def _attributes(function: Any, threads: int) -> dict[str, Any]:
    """Of a CUDA function: registers, local memory, and the share of a multiprocessor it fills."""
    if not hasattr(function, "num_regs"):
        return {}
    import cupy

    shared, registers = function.shared_size_bytes, function.num_regs
    facts = {"registers": registers, "local bytes": shared, "spilled": function.local_size_bytes}
    limits = cupy.cuda.Device().attributes
    groups = min(
        limits["MaxRegistersPerMultiprocessor"] // max(1, registers * threads),
        limits["MaxSharedMemoryPerMultiprocessor"] // max(1, shared + 1024),
        limits["MaxThreadsPerMultiProcessor"] // threads,
    )
    return facts | {"occupancy": groups * threads / limits["MaxThreadsPerMultiProcessor"]}


def _ncu(options: Any) -> str:
    """Shares of peak by Nsight Compute, or why not."""
    if options.engine != "gpu" or shutil.which("ncu") is None:
        return "not installed"
    command = ["ncu", "--metrics", NCU_METRICS, "--kernel-name", "regex:nnp_evaluate", "--csv"]
    command += [sys.executable, __file__, "--bare", "--json", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = [line for line in done.stdout.splitlines() if "throughput" in line]
    return "\n".join(lines[-12:]) or (done.stdout + done.stderr)[-500:]


if __name__ == "__main__":
    main()
