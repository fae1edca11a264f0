"""openmm-ml finds the potential, for whole systems and for parts of them."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import numpy as np
import openmm
import pytest
from openmm import app, unit
from plugin_systems import (
    ENERGY_RTOL,
    context_of,
    crystal,
    energy_ev,
    forces_ev,
    need_plugin,
    pair_potential,
)

import nnp.openmm
from nnp.errors import OptionError
from nnp.mlpotential import NNPPotentialImplFactory
from nnp.testing import random_potential

GROUP = "openmmml.potentials"


@pytest.fixture(scope="module")
def ml_potential():
    """openmm-ml's class, with our factory in it."""
    need_plugin()
    openmmml = pytest.importorskip("openmmml", reason="needs openmm-ml: pip install openmmml")
    found = [e for e in metadata.entry_points(group=GROUP) if e.name == "nnp"]
    if not found:  # not installed: used from the source folder
        openmmml.MLPotential.registerImplFactory("nnp", NNPPotentialImplFactory())
    return openmmml.MLPotential


def water_box(n_side=3):
    """TIP3P water on a lattice, and its System by a force field."""
    topology, positions = app.Topology(), []
    oxygen, hydrogen = (app.Element.getBySymbol(symbol) for symbol in "OH")
    offsets = np.array([(0, 0, 0), (0.09572, 0, 0), (-0.02399, 0.09266, 0)])
    chain = topology.addChain()
    for corner in np.ndindex(n_side, n_side, n_side):
        residue = topology.addResidue("HOH", chain)
        atoms = [
            topology.addAtom(name, element, residue)
            for name, element in (("O", oxygen), ("H1", hydrogen), ("H2", hydrogen))
        ]
        topology.addBond(atoms[0], atoms[1])
        topology.addBond(atoms[0], atoms[2])
        positions += list(offsets + 0.31 * np.array(corner))
    topology.setPeriodicBoxVectors(np.eye(3) * 0.31 * n_side * unit.nanometer)
    field = app.ForceField("tip3p.xml")
    system = field.createSystem(
        topology, nonbondedMethod=app.PME, nonbondedCutoff=0.4, rigidWater=False
    )
    return topology, system, np.array(positions)


def test_import_is_light():
    """An error here would break openmm-ml for all potentials: nothing is imported."""
    script = (
        "import nnp.mlpotential, sys; sys.exit(bool({'openmm', 'openmmml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_whole_system(ml_potential, tmp_path):
    path = tmp_path / "potential.nnp"
    potential, atoms = pair_potential(), crystal()
    potential.save(path)
    start = nnp.openmm.to_openmm(atoms)
    system = ml_potential("nnp", path=path).createSystem(start.topology)
    context = context_of(system, start.positions_nm)
    wanted = potential.evaluate(atoms, "cpu").energy
    assert energy_ev(context) == pytest.approx(wanted, rel=ENERGY_RTOL)
    assert nnp.openmm.monitors(system)[0].evaluations == 1


def test_one_molecule_in_force_field_water(ml_potential):
    """E = E_MM of all but the molecule's inside + E_ML of the molecule alone."""
    potential = random_potential(("H", "O"), seed=3)
    topology, system, positions = water_box()
    chosen = [12, 13, 14]
    mixed = ml_potential("nnp", potential=potential).createMixedSystem(topology, system, chosen)
    without = ml_potential("nnp", potential=potential).createMixedSystem(
        topology, system, chosen, route="native", scale_parameter="ml", scale=0.0
    )
    molecule = nnp.Structure(
        positions[chosen] * 10, np.array([8, 1, 1]), np.eye(3) * 9.3, np.ones(3, bool)
    )
    wanted = potential.evaluate(molecule, "cpu")
    one, other = context_of(mixed, positions), context_of(without, positions)
    gained = energy_ev(one) - energy_ev(other)
    # PME of the rest is in single precision on the CPU platform, double on Reference
    assert gained == pytest.approx(wanted.energy, rel=1e-9)
    forces = forces_ev(one) - forces_ev(other)
    np.testing.assert_allclose(forces[chosen], wanted.forces, rtol=0, atol=1e-9)
    assert np.abs(np.delete(forces, chosen, axis=0)).max() < 1e-9


def test_interpolation(ml_potential):
    """λ = 0 is the force field, λ = 1 the mixed system, between them a straight line."""
    potential = random_potential(("H", "O"), seed=3)
    topology, system, positions = water_box()
    factory = ml_potential("nnp", potential=potential)
    mixed = factory.createMixedSystem(topology, system, [12, 13, 14])
    both = factory.createMixedSystem(topology, system, [12, 13, 14], interpolate=True)
    ends = [energy_ev(context_of(s, positions)) for s in (system, mixed)]
    context = context_of(both, positions)
    for mix in (0.0, 0.3, 1.0):
        context.setParameter("lambda_interpolate", mix)
        wanted = (1 - mix) * ends[0] + mix * ends[1]
        assert energy_ev(context) == pytest.approx(wanted, rel=1e-6)
    again = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(both))
    assert energy_ev(context_of(again, positions)) == pytest.approx(
        energy_ev(context_of(both, positions)), rel=1e-9
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs path=…"),
        ({"path": "a", "potential": "b"}, "one of the two"),
        ({"path": "a", "colour": 1}, "has no argument 'colour'"),
    ],
)
def test_arguments_that_are_refused(ml_potential, arguments, message):
    with pytest.raises(OptionError, match=message):
        ml_potential("nnp", **arguments)
