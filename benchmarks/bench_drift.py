"""How much energy NVE dynamics gains or loses with the plugin: kT per ns and degree of freedom.

    POCL_EXTRA_BUILD_FLAGS=-cl-opt-disable python benchmarks/bench_drift.py

Silicon with the bundled potential at 300 K, Verlet, on the CPU and Reference platforms and on
OpenCL in single, mixed and double precision: there through the host (``host``) and, asked for by
``--cases``, with the GPU kernels (``kernels``; on PoCL ten milliseconds per step, so a fiftieth of
the time). The drift is the slope of the total energy against time, its error from the slopes of the
run's eight parts, too small where energy fluctuates more slowly than a part lasts: with 64 atoms,
below a nanosecond. ``--model`` takes another potential of silicon, ``--kelvin`` another
temperature. On PoCL the flag is needed (docs/gpu_engine.md). ``--output`` is written after each
case and keeps the cases of earlier runs that this one does not repeat.

OpenMM states 4.3e-4, 2.3e-5 and 1.1e-7 for single, mixed and double on a GPU, with its own forces.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase.build import bulk
from numpy.typing import NDArray
from openmm import unit

import nnp
import nnp.openmm

LATTICE_CONSTANT = 5.431  # Å
KB = unit.MOLAR_GAS_CONSTANT_R.value_in_unit(unit.kilojoule_per_mole / unit.kelvin)
PARTS = 8
EQUILIBRATION_PS = 0.5
OPENMM_OWN = {"single": 4.3e-4, "mixed": 2.3e-5, "double": 1.1e-7}
# platform, precision, options of the force, share of --ps (interpreted kernels on a CPU are slow)
CASES: dict[str, tuple[str, str, dict[str, Any], float]] = {
    "Reference": ("Reference", "double", {}, 1.0),
    "CPU float64": ("CPU", "double", {}, 1.0),
    "CPU float32": ("CPU", "single", {"dtype": "float32"}, 1.0),
    **{
        f"OpenCL {precision} {where}": (
            "OpenCL",
            precision,
            {"gpu_kernels": where == "kernels"},
            1.0 if where == "host" else 0.02,
        )
        for where in ("host", "kernels")
        for precision in OPENMM_OWN
    },
}


def make_context(case: str, arguments: argparse.Namespace) -> openmm.Context:
    """At the temperature, equilibrated for a moment so that the start is not a crystal at rest."""
    name, precision, options, _ = CASES[case]
    path = arguments.model or resources.files("nnp") / "data" / "silicon_sw.nnp"
    crystal = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(arguments.cells)
    start = nnp.openmm.to_openmm(crystal)
    system = nnp.openmm.create_system(nnp.load(str(path)), start, route="native", **options)
    properties = {"Precision": precision} if name == "OpenCL" else {}
    if name == "CPU":
        properties = {"Threads": "1"}
    context = openmm.Context(
        system,
        openmm.VerletIntegrator(arguments.step_fs / 1000),
        openmm.Platform.getPlatform(name),
        properties,
    )
    context.setPositions(start.positions_nm)
    context.setVelocitiesToTemperature(2 * arguments.kelvin, 1)  # half goes into the lattice
    context.getIntegrator().step(round(EQUILIBRATION_PS * 1000 / arguments.step_fs))
    return context


def total_energies(
    context: openmm.Context, n: int, steps: int, kt: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time (ns) and energy (kT) of ``n`` points, ``steps`` apart."""
    times, energies = np.empty(n), np.empty(n)
    for i in range(n):
        context.getIntegrator().step(steps)
        state = context.getState(energy=True)
        energy = state.getPotentialEnergy() + state.getKineticEnergy()
        times[i] = state.getTime().value_in_unit(unit.nanosecond)
        energies[i] = energy.value_in_unit(unit.kilojoule_per_mole) / kt
    return times, energies


def measure(case: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One line of the table."""
    context = make_context(case, arguments)
    step_fs, ps = arguments.step_fs, arguments.ps
    every = max(1, round(20 / step_fs))
    n = PARTS * max(4, round(ps * CASES[case][3] * 1000 / (step_fs * every * PARTS)))
    began = time.process_time()
    kt = KB * arguments.kelvin
    times, energies = total_energies(context, n, every, kt)
    cpu_seconds = time.process_time() - began
    dof = 3 * context.getSystem().getNumParticles()
    slopes = [
        np.polyfit(t, e, 1)[0] / dof
        for t, e in zip(np.split(times, PARTS), np.split(energies, PARTS), strict=True)
    ]
    # a part's slope errs by the fluctuation over its own length; the whole is PARTS times longer
    error = np.std(slopes, ddof=1) / PARTS**1.5
    return {
        "case": case,
        "picoseconds": n * every * step_fs / 1000,
        "drift_kT_per_ns_per_dof": float(np.polyfit(times, energies, 1)[0] / dof),
        "error": float(error),
        "fluctuation_kT_per_dof": float(np.std(energies) / dof),
        "cpu_us_per_step": 1e6 * cpu_seconds / (n * every),
        "openmm_own": OPENMM_OWN[CASES[case][1]],
    }


def write(result: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Put one line of the table beside those of the same system that the file has."""
    path: Path = arguments.output
    n_atoms = 8 * arguments.cells**3
    system = {"atoms": n_atoms, "step_fs": arguments.step_fs, "kelvin": arguments.kelvin}
    if arguments.model:
        system["model"] = arguments.model.name
    lines = {}
    if path.is_file():
        old = json.loads(path.read_text())
        if all(old.get(key) == value for key, value in system.items()):
            lines = {line["case"]: line for line in old["results"]}
    lines[result["case"]] = result
    machine = {"processor": platform.processor() or platform.machine(), "cpus": os.cpu_count()}
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"openmm": openmm.version.version, "nnp": nnp.__version__},
        "machine": machine,
        **system,
        "results": [lines[case] for case in CASES if case in lines],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--cases", nargs="+", choices=list(CASES), default=[c for c in CASES if "kernels" not in c]
    )
    parser.add_argument("--cells", type=int, default=2, help="of 8 atoms, along each axis")
    parser.add_argument("--step-fs", type=float, default=0.5)
    parser.add_argument("--ps", type=float, default=100.0, help="length of a run")
    parser.add_argument("--kelvin", type=float, default=300.0)
    parser.add_argument("--model", type=Path, help="of silicon, in place of the bundled one")
    parser.add_argument("--output", type=Path, help="JSON, with the machine")
    arguments = parser.parse_args()
    for case in arguments.cases:
        result = measure(case, arguments)
        print(
            f"{case:24} {result['drift_kT_per_ns_per_dof']:+.1e} ± {result['error']:.0e} "
            f"kT/ns/dof  {result['picoseconds']:.0f} ps  {result['cpu_us_per_step']:.0f} µs",
            flush=True,
        )
        if arguments.output:
            write(result, arguments)


if __name__ == "__main__":
    main()
