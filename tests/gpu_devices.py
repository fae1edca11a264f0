"""All devices that the GPU host has, as a test sees them: ``python gpu_devices.py CASE DEVICE`` in
a process of its own, whose environment says which OpenCL runs.

`opencl` is PyOpenCL's device, `openmm` OpenMM's; both evaluate the cases below, whose answers come
from the CPU engine. What a device that runs nothing (recorder, CuPy's stand-in) can show is in
test_gpu_host.py.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from nnp.networks import Activation, Network
from nnp.structure import Structure
from nnp.testing import random_potential, structures

LIGHT = ("radial", "angular_narrow")


class OpenCL:
    """``engine="opencl"``."""

    def __init__(self, potential, skin=None):
        self._engine = potential.make_engine("opencl", skin=skin)

    def forces(self, structure):
        return self._engine.compute(structure).forces

    def refuses(self, structure, message):
        with pytest.raises(Exception, match=message):
            self._engine.compute(structure)


class OpenMM:
    """``gpu_kernels=True`` on OpenMM's OpenCL platform, in double precision."""

    def __init__(self, potential, skin=None):
        self._potential, self._skin, self._now = potential, skin, None

    def _context(self, structure):
        from plugin_gpu_cases import native

        import nnp.openmm

        self._start = nnp.openmm.to_openmm(structure)
        same = self._now is not None and self._now[0] == len(structure)
        if not same:
            context = native(self._potential, self._start, skin=self._skin)
            self._now = len(structure), context
        context = self._now[1]
        if self._start.box_nm is not None:
            context.setPeriodicBoxVectors(*self._start.box_nm)
        context.setPositions(self._start.positions_nm)
        return context

    def forces(self, structure):
        from plugin_systems import forces_ev

        return forces_ev(self._context(structure)) @ self._start.rotation.T

    def refuses(self, structure, message):
        from plugin_systems import energy_ev

        with pytest.raises(Exception, match=message):
            energy_ev(self._context(structure))


DEVICES = {"opencl": OpenCL, "openmm": OpenMM}


def agrees(device, potential, structure, tolerance=1e-9):
    wanted = potential.evaluate(structure, "cpu").forces
    largest = max(np.abs(wanted).max(), 1e-2)
    assert np.abs(device.forces(structure) - wanted).max() < tolerance * largest


def free(structure):
    """Without periodicity."""
    return replace(structure, pbc=np.zeros(3, bool))


# A hidden layer of so many nodes is more than local memory holds: 32 kB in oclgrind, 1 MB of PoCL.
NODES = 2500 if "OCLGRIND_DATA_RACES" in os.environ else 200_000


def wide_network():
    """A potential whose network does not fit."""
    (model,) = random_potential(("Si",), 1, ("radial",)).models
    n = len(model.functions)
    network = Network(
        (np.full((n, NODES), 0.01), np.full((NODES, 1), 0.01)),
        (np.zeros(NODES), np.zeros(1)),
        (Activation.TANH, Activation.IDENTITY),
    )
    return replace(
        random_potential(("Si",), 1, ("radial",)), models=(replace(model, network=network),)
    )


# ---- the cases: once two hosts had each its own answer -----------------------------------------


def local_memory(make):
    """A network that does not fit is refused by its size, before anything is launched."""
    with pytest.raises(
        Exception, match=r"need \d{5,} bytes of local memory per atom, .+ has \d{5,}"
    ):
        make(wide_network()).forces(structures()["rattled"])


def no_skin(make):
    """A list without a skin holds for atoms that stand still, and is made again when they move."""
    potential, box = random_potential(("Si",), 1, LIGHT), structures()["rattled"]
    device = make(potential, 0.0)
    for shift in (0.0, 1e-9, 1e-4, 0.3):
        agrees(
            device, potential, replace(box, positions=box.positions + shift * np.eye(len(box), 3))
        )


def cells(make):
    """A cell that changes a little and a lot, atoms that jump by its vectors, no cell at all."""
    potential, box = random_potential(("Si",), 1, LIGHT), structures()["rattled"]
    device = make(potential)
    for strain in (1.0, 1.002, 1.004, 1.2):
        agrees(
            device,
            potential,
            replace(box, positions=box.positions * strain, cell=box.cell * strain),
        )
    jumps = np.random.default_rng(1).integers(-2, 3, (len(box), 3)) @ box.cell
    agrees(device, potential, replace(box, positions=box.positions + jumps))
    agrees(make(potential), potential, free(box))
    device.refuses(
        Structure(box.positions, box.atomic_numbers, np.diag([0.02, 9, 9]), True),
        "the cell is so small along axis 0",
    )


def large_forces(make):
    """Forces too large for 2^-48 eV/Å are summed more coarsely; the next evaluation begins anew."""
    (model,) = random_potential(("Si",), 15, LIGHT).models
    potential = replace(random_potential(("Si",), 15, LIGHT), energy_scale=1e6)
    potential = replace(potential, models=(replace(model, energy_offset=0.0),))
    box = structures()["rattled"]
    device = make(potential)
    first = device.forces(box)
    agrees(device, potential, box, 1e-7)  # sums of terms in 2^-16 eV/Å
    assert (device.forces(box) == first).all()


def many_neighbours(make):
    """More neighbours than a work-group's first capacity: compiled again, or in tiles."""
    potential = random_potential(("Si",), 8, ("radial",), radius=3.0)
    device = make(potential)
    agrees(device, potential, structures()["rattled"])
    grid = np.stack(np.meshgrid(*[[0.0, 0.9]] * 3), -1).reshape(-1, 3)
    positions = grid + np.random.default_rng(3).uniform(-0.1, 0.1, (8, 3))
    dense = Structure(positions, [14] * 8, 1.8 * np.eye(3), True)
    agrees(device, potential, dense)


def refusals(make):
    """The same words, with both atoms' numbers."""
    potential, good = random_potential(("Si",), 15, LIGHT), structures()["rattled"]
    device = make(potential)
    positions = good.positions.copy()
    positions[6] = positions[2]
    device.refuses(replace(good, positions=positions), "atoms 2 and 6 are in the same place")
    agrees(device, potential, good)


if __name__ == "__main__":
    globals()[sys.argv[1]](DEVICES[sys.argv[2]])
    print("passed", sys.argv[1], flush=True)  # noqa: T201
