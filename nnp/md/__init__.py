"""Molecular dynamics over OpenMM with a log, a trajectory, restarts and clear stops.

    from nnp.md import MDSettings, Outputs, run
    run(potential, atoms, MDSettings(temperature=300, steps=10_000), Outputs.named("md/si"))

What it writes, and when it stops, is told in ``docs/cli.md``.
"""

from nnp.md.log import read_log
from nnp.md.outputs import Outputs
from nnp.md.restart import Restart, read_restart
from nnp.md.runner import Outcome, Runner, run
from nnp.md.settings import MDSettings

__all__ = [
    "MDSettings",
    "Outcome",
    "Outputs",
    "Restart",
    "Runner",
    "read_log",
    "read_restart",
    "run",
]
