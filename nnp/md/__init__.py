"""Molecular dynamics with OpenMM: log, trajectory, restarts and defined stops.

    from nnp.md import MDSettings, Outputs, run
    run(potential, atoms, MDSettings(temperature=300, steps=10_000), Outputs.named("md/si"))

``docs/md.md`` describes what a run writes, and when it stops. Settings, names, logs and `relax` do
not need OpenMM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnp.md.frame_file import FrameFile
from nnp.md.log import read_log
from nnp.md.outputs import Outputs
from nnp.md.relax_settings import RelaxSettings
from nnp.md.settings import MDSettings

if TYPE_CHECKING:
    from nnp.md.relaxation import Relaxed, relax
    from nnp.md.runner import Outcome, Runner, run

__all__ = [
    "FrameFile",
    "MDSettings",
    "Outcome",
    "Outputs",
    "RelaxSettings",
    "Relaxed",
    "Runner",
    "read_log",
    "relax",
    "run",
]


def __getattr__(name: str) -> Any:
    """What needs OpenMM is imported at its first use."""
    if name in ("Outcome", "Runner", "run"):
        import nnp.openmm  # noqa: F401  says what to install where OpenMM is missing
        from nnp.md import runner

        return getattr(runner, name)
    if name in ("Relaxed", "relax"):
        from nnp.md import relaxation

        return getattr(relaxation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
