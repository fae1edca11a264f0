"""Errors inside a step, what the monitor tells, copies and serialised systems."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ase.build import bulk

pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp.openmm
from nnp.errors import NNPError, NumericalError, OptionError, StructureError
from nnp.openmm.monitor import _BY_ADDRESS, _MONITORS
from nnp.openmm.python_force import EngineCallback
from nnp.openmm.species import read_species


@pytest.fixture(params=["python", "torch"])
def route(request):
    """Each route; the torch one where openmmtorch is installed."""
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
        pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    return request.param


@pytest.fixture
def atoms():
    crystal = bulk("Si", "fcc", LATTICE_CONSTANT, cubic=True) * (2, 2, 2)
    crystal.rattle(0.02, seed=2)
    return crystal


def simulate(atoms, route="python", platform="Reference", **options):
    return nnp.openmm.create_simulation(
        pair_potential(), atoms, openmm.VerletIntegrator(0.001), platform, route=route, **options
    )


def overlap(simulation, value=None):
    """Put atom 5 where atom 2 is, or anywhere."""
    positions = simulation.context.getState(positions=True).getPositions(asNumpy=True)._value
    positions = np.array(positions)
    positions[5] = positions[2] if value is None else value
    simulation.context.setPositions(positions)


# ---- errors inside a step ----


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_overlapping_atoms_are_named(route, platform, atoms):
    simulation = simulate(atoms, route, platform)
    overlap(simulation)
    with pytest.raises(openmm.OpenMMException, match="atoms 2 and 5 are in the same place"):
        simulation.step(1)
    with pytest.raises(openmm.OpenMMException, match="atoms 2 and 5 are in the same place"):
        simulation.context.getState(energy=True)
    with pytest.raises(openmm.OpenMMException, match="atoms 2 and 5 are in the same place"):
        openmm.LocalEnergyMinimizer.minimize(simulation.context)
    assert isinstance(nnp.openmm.monitors(simulation.system)[0].error, StructureError)
    simulation.context.setPositions(nnp.openmm.to_openmm(atoms).positions_nm)
    simulation.step(1)  # and goes on
    assert nnp.openmm.monitors(simulation.system)[0].error is None


def test_positions_that_are_not_numbers(route, atoms):
    simulation = simulate(atoms, route)
    overlap(simulation, np.nan)
    with pytest.raises(openmm.OpenMMException, match=r"position of atom 5 is .*nan"):
        simulation.step(1)


def test_original_errors(route, atoms):
    simulation = simulate(atoms, route)
    overlap(simulation)
    with (
        pytest.raises(StructureError, match="atoms 2 and 5 are in the same place"),
        nnp.openmm.original_errors(simulation.system),
    ):
        simulation.step(1)
    with (
        pytest.raises(openmm.OpenMMException, match="positions"),
        nnp.openmm.original_errors(simulation.system),
    ):
        simulation.context.setPositions(np.zeros((3, 3)))  # somebody else's error stays as it is
    with nnp.openmm.original_errors(simulation.system):
        simulation.context.getTime()


def test_an_old_error_is_not_raised_again(route, atoms):
    """Even where another's says the same words."""
    simulation = simulate(atoms, route)
    overlap(simulation)
    with pytest.raises(openmm.OpenMMException) as caught:
        simulation.step(1)
    with (
        pytest.raises(openmm.OpenMMException, match="same place"),
        nnp.openmm.original_errors(simulation.system),
    ):
        raise openmm.OpenMMException(str(caught.value))


class _Failing:
    """An engine that raises."""

    name = "failing"

    def __init__(self, error):
        self.error = error

    def compute(self, *_, **__):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (NumericalError("energy is × not finite"), NumericalError, "^energy is × not finite$"),
        (ZeroDivisionError("by zero"), ZeroDivisionError, "^ZeroDivisionError: by zero$"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^KeyboardInterrupt: $"),
        (MemoryError(), MemoryError, "^MemoryError: $"),
    ],
)
def test_any_error_of_an_engine_arrives(error, kind, text, atoms, monkeypatch):
    simulation = simulate(atoms)
    monkeypatch.setattr(EngineCallback, "engine", _Failing(error))
    with pytest.raises(openmm.OpenMMException, match=text):
        simulation.step(1)
    with pytest.raises(kind), nnp.openmm.original_errors(simulation.system):
        simulation.step(1)


def test_two_threads_may_share_a_force(atoms):
    """Two Contexts of one System; the engine must not be in two evaluations at once."""
    first = simulate(atoms)
    wanted = first.context.getState(energy=True).getPotentialEnergy()
    positions = first.context.getState(positions=True).getPositions()
    platform = openmm.Platform.getPlatform("Reference")
    contexts = [
        openmm.Context(first.system, openmm.VerletIntegrator(0.001), platform) for _ in range(2)
    ]

    def energies(context):
        context.setPositions(positions)
        return [context.getState(energy=True).getPotentialEnergy() for _ in range(300)]

    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(energies, contexts):
            assert {e._value for e in found} == {wanted._value}


# ---- the monitor ----


def test_monitor_sees_the_last_evaluation(route, atoms):
    potential = pair_potential()
    simulation = simulate(atoms, route)
    monitor = nnp.openmm.monitor(simulation.system.getForce(0))
    assert (monitor.last, monitor.count, monitor.worst, monitor.extrapolations) == (
        None,
        0,
        None,
        None,
    )
    simulation.context.getState(energy=True)
    assert monitor.evaluations == 1
    assert monitor.count == potential.evaluate(atoms).extrapolations.n_atoms == 0
    assert monitor.last.energy == pytest.approx(potential.evaluate(atoms).energy)
    atoms.positions[5] += 0.8
    simulation.context.setPositions(nnp.openmm.to_openmm(atoms).positions_nm)
    simulation.context.getState(forces=True)
    wanted = potential.evaluate(atoms).extrapolations
    assert monitor.count == wanted.n_atoms > 0
    assert monitor.worst.atom == wanted.worst.atom
    assert monitor.worst.function == wanted.worst.function
    assert monitor.worst.excess == pytest.approx(wanted.worst.excess)
    assert monitor.extrapolations.n_atoms == wanted.n_atoms


def test_two_forces_have_two_monitors(route, atoms):
    one, other = simulate(atoms, route), simulate(atoms, route)
    one.step(3)
    assert nnp.openmm.monitors(one.system)[0].evaluations == 3
    assert nnp.openmm.monitors(other.system)[0].evaluations == 0


def test_only_our_forces_have_monitors(atoms):
    system = openmm.System()
    system.addParticle(1)
    for force in (
        openmm.CustomExternalForce("x"),
        openmm.PythonForce(lambda _: (0.0, np.zeros((1, 3)))),
    ):
        with pytest.raises(OptionError, match=r"is not a force of nnp\.openmm\.create_force"):
            nnp.openmm.monitor(force)
        system.addForce(force)
    assert nnp.openmm.monitors(system) == []
    system.addForce(nnp.openmm.create_force(pair_potential(), atoms, "python"))
    assert len(nnp.openmm.monitors(system)) == 1


def test_nothing_outlives_its_force(atoms):
    def tokens():
        gc.collect()
        return set(_MONITORS), set(_BY_ADDRESS)

    before = tokens()
    force = nnp.openmm.create_force(pair_potential(), atoms, route="python")
    assert len(tokens()[0]) == len(before[0]) + 1
    del force
    assert tokens() == before


# ---- copies and files ----


def test_python_force_survives_copying_and_serialising(atoms):
    simulation = simulate(atoms, engine="cpu", threads=1)
    wanted = simulation.context.getState(energy=True).getPotentialEnergy()
    positions = simulation.context.getState(positions=True).getPositions()
    text = openmm.XmlSerializer.serialize(simulation.system)
    for system in (
        copy.deepcopy(simulation.system),
        pickle.loads(pickle.dumps(simulation.system)),  # noqa: S301
        openmm.XmlSerializer.deserialize(text),
    ):
        context = openmm.Context(
            system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference")
        )
        context.setPositions(positions)
        assert context.getState(energy=True).getPotentialEnergy() == wanted
        mine = nnp.openmm.monitors(system)[0]
        assert mine.evaluations == 1
        assert mine is not nnp.openmm.monitors(simulation.system)[0]


_READ = """
import sys, openmm
system = openmm.XmlSerializer.deserialize(open(sys.argv[1]).read())
state = openmm.XmlSerializer.deserialize(open(sys.argv[2]).read())
platform = openmm.Platform.getPlatform("Reference")
context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
context.setState(state)
print(repr(context.getState(energy=True).getPotentialEnergy()._value))
"""


def test_a_system_file_runs_in_another_process(atoms, tmp_path):
    simulation = simulate(atoms)
    system, state = tmp_path / "system.xml", tmp_path / "state.xml"
    system.write_text(openmm.XmlSerializer.serialize(simulation.system))
    simulation.saveState(str(state))
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(system), str(state)],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = simulation.context.getState(energy=True).getPotentialEnergy()._value
    assert float(done.stdout) == wanted


def test_a_broken_model_in_a_system_file_is_an_error_and_not_a_crash(atoms):
    species = read_species(atoms)
    for model, engine, options in (
        (b"not a model", "reference", {}),
        (b"", "nonsense", {"colour": "red"}),
    ):
        callback = EngineCallback(species, model, engine, options)
        system = openmm.System()
        for _ in range(len(atoms)):
            system.addParticle(1)
        system.addForce(openmm.PythonForce(pickle.loads(pickle.dumps(callback))))  # noqa: S301
        context = openmm.Context(
            copy.deepcopy(system),
            openmm.VerletIntegrator(0.001),
            openmm.Platform.getPlatform("Reference"),
        )
        context.setPositions(np.zeros((len(atoms), 3)))
        with pytest.raises(
            openmm.OpenMMException, match="the model inside the force is not a compl"
        ):
            context.getState(energy=True)
        with pytest.raises(NNPError), nnp.openmm.original_errors(context.getSystem()):
            context.getState(energy=True)
