"""HDNNPs in OpenMM: forces, systems and simulations in its units, nm and kJ/mol.

    import nnp, openmm
    potential = nnp.load("silicon.nnp")
    simulation = nnp.openmm.create_simulation(
        potential, atoms, openmm.LangevinMiddleIntegrator(300, 1, 0.001), platform="CPU"
    )
    simulation.step(1000)

For a system of your own: ``system.addForce(nnp.openmm.create_force(potential, topology))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnp.distribution import install
from nnp.errors import UnavailableError

try:
    import openmm  # noqa: F401  the real one: imports are absolute
except ImportError as error:
    raise UnavailableError(
        f"nnp.openmm needs OpenMM, which is not installed: {install('openmm')}"
    ) from error

from nnp.openmm._plugin import why_unavailable
from nnp.openmm.box import OpenMMAtoms, to_openmm
from nnp.openmm.calculator_force import create_calculator_force
from nnp.openmm.fingerprint import fingerprint
from nnp.openmm.monitor import Monitor, monitor, monitors, original_errors
from nnp.openmm.native_force import update_force
from nnp.openmm.native_monitor import NativeMonitor
from nnp.openmm.platforms import check_platform, context_errors
from nnp.openmm.reporter import ExtrapolationReporter
from nnp.openmm.routes import ROUTES, create_force
from nnp.openmm.system import create_empty_system, create_simulation, create_system

why_unavailable()  # loads the plugin, so that OpenMM can read Systems with its forces from XML

if TYPE_CHECKING:
    from nnp.openmm.torchscript import export_torchscript

__all__ = [
    "ROUTES",
    "ExtrapolationReporter",
    "Monitor",
    "NativeMonitor",
    "OpenMMAtoms",
    "check_platform",
    "context_errors",
    "create_calculator_force",
    "create_empty_system",
    "create_force",
    "create_simulation",
    "create_system",
    "export_torchscript",
    "fingerprint",
    "monitor",
    "monitors",
    "original_errors",
    "to_openmm",
    "update_force",
]


def __getattr__(name: str) -> Any:
    """`export_torchscript` at its first use: it needs torch, the rest does not."""
    if name != "export_torchscript":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            f"export_torchscript needs torch, which is not installed: {install('torch')}"
        ) from error
    from nnp.openmm.torchscript import export_torchscript

    return export_torchscript
