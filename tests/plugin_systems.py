"""Systems for the tests of the OpenMM plugin."""

from __future__ import annotations

import os
from importlib import metadata

import numpy as np
import openmm
import pytest
from ase.build import bulk
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp.openmm
from nnp.distribution import DISTRIBUTION
from nnp.openmm import _plugin
from nnp.units import KJ_PER_MOL, NANOMETRE

PLATFORMS = ("Reference", "CPU")
# The plugin's contract: sums in another order, and OpenMM's own rounding of positions.
ENERGY_RTOL = 1e-10


def need_plugin():
    """Skip where nnp is used from its source folder; an installed one must have its plugin."""
    why = _plugin.why_unavailable()
    if why is None:
        return
    try:
        metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        if "NNP_OPENMM_LIBRARY" not in os.environ:
            pytest.skip(f"nnp is not installed, and {why}")
    pytest.fail(why)


def crystal(repeat=2, seed=4):
    """A rattled crystal for the pair potential; 32 atoms for repeat=2."""
    atoms = bulk("Si", "fcc", a=LATTICE_CONSTANT, cubic=True).repeat(repeat)
    atoms.rattle(0.05, seed=seed)
    return atoms


def context_of(system, positions_nm, platform="Reference", integrator=None, properties=None):
    """A Context with positions."""
    context = openmm.Context(
        system,
        integrator or openmm.VerletIntegrator(0.001),
        openmm.Platform.getPlatform(platform),
        properties or {},
    )
    context.setPositions(positions_nm)
    return context


def native_context(potential, atoms, platform="Reference", integrator=None, **options):
    """A Context of a system of its own, evaluated by the plugin."""
    prepared = isinstance(atoms, nnp.openmm.OpenMMAtoms)
    start = atoms if prepared else nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native", **options)
    return context_of(system, start.positions_nm, platform, integrator)


def energy_ev(context, **arguments):
    state = context.getState(energy=True, **arguments)
    return state.getPotentialEnergy()._value * KJ_PER_MOL


def forces_ev(context):
    """(n, 3) eV/Å, in OpenMM's frame."""
    forces = context.getState(forces=True).getForces(asNumpy=True)._value
    return forces * KJ_PER_MOL / NANOMETRE


def positions_nm(context):
    return np.array(context.getState(positions=True).getPositions(asNumpy=True)._value)


__all__ = [
    "ENERGY_RTOL",
    "PLATFORMS",
    "context_of",
    "crystal",
    "energy_ev",
    "forces_ev",
    "native_context",
    "need_plugin",
    "pair_potential",
    "positions_nm",
]
