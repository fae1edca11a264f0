"""The reporter of extrapolating atoms: what it writes, when it stops, what it costs."""

from __future__ import annotations

import copy
import gc
import io

import openmm
import pytest
from openmm import app
from plugin_systems import crystal, need_plugin, pair_potential

import nnp.openmm
from nnp.errors import NNPError, NumericalError, OptionError
from nnp.openmm import ExtrapolationReporter
from nnp.testing import random_potential

HEADER = "step,extrapolating_atoms,worst_atom,worst_element,worst_function,worst_excess_percent"


@pytest.fixture(params=["native", "python", "torch"])
def route(request):
    """Each route, where what it needs is there."""
    if request.param == "native":
        need_plugin()
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
        pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    return request.param


def displaced(by=0.8):
    """A crystal with one atom out of its place: it and its neighbours extrapolate."""
    atoms = crystal()
    atoms.positions[5] += by
    return atoms


def simulate(atoms, route="python"):
    return nnp.openmm.create_simulation(
        pair_potential(), atoms, openmm.VerletIntegrator(1e-6), "Reference", route=route
    )


def test_rows(route):
    atoms, out = displaced(), io.StringIO()
    simulation = simulate(atoms, route)
    simulation.reporters.append(ExtrapolationReporter(out, 2))
    simulation.step(5)
    header, *rows = out.getvalue().splitlines()
    assert header == HEADER
    assert [row.split(",")[0] for row in rows] == ["2", "4"]
    outside = pair_potential().evaluate(atoms).extrapolations
    _, count, atom, element, function, excess = rows[0].split(",")
    assert int(count) == outside.n_atoms > 1
    assert (int(atom), element) == (outside.worst.atom, "Si")
    assert int(function) == outside.worst.function + 1
    assert float(excess) == pytest.approx(100 * outside.worst.relative, rel=1e-3)
    evaluations = nnp.openmm.monitors(simulation.system)[0].evaluations
    assert evaluations == 5  # one per step: none for the rows


def test_nothing_outside_leaves_cells_empty():
    out = io.StringIO()
    simulation = simulate(crystal())
    simulation.reporters.append(ExtrapolationReporter(out, 1, separator="\t"))
    simulation.step(1)
    assert out.getvalue().splitlines()[-1] == "1\t0\t\t\t\t"


def test_a_row_beside_energies_is_of_the_present_positions():
    """Another reporter makes OpenMM evaluate again, after the atoms have moved."""
    out, log = io.StringIO(), io.StringIO()
    simulation = simulate(crystal())
    simulation.reporters += [
        app.StateDataReporter(log, 1, potentialEnergy=True),
        ExtrapolationReporter(out, 1),
    ]
    simulation.context.setPositions(nnp.openmm.to_openmm(displaced()).positions_nm)
    simulation.step(1)
    assert nnp.openmm.monitors(simulation.system)[0].evaluations == 2
    assert int(out.getvalue().splitlines()[-1].split(",")[1]) > 1


def test_stops_the_run(route, tmp_path):
    path = tmp_path / "outside.csv"
    simulation = simulate(displaced(), route)
    simulation.reporters.append(ExtrapolationReporter(path, 2, max_extrapolations=1))
    message = (
        r"step 2: \d+ atoms extrapolate, more than max_extrapolations=1; the worst is atom 5 "
        r"\(Si\), function \d by \+.* % of its training range: train on such structures"
    )
    with pytest.raises(NumericalError, match=message):
        simulation.step(10)
    assert simulation.currentStep == 2
    assert path.read_text().splitlines()[-1].startswith("2,")
    allowed = simulate(displaced(), route)
    allowed.reporters.append(ExtrapolationReporter(path, 2, max_extrapolations=32))
    allowed.step(2)


def test_files_are_overwritten_or_continued(tmp_path):
    path = tmp_path / "outside.csv"
    path.write_text("old\n")
    for append, steps in ((False, ["1"]), (True, ["1", "1"])):
        simulation = simulate(crystal())
        simulation.reporters.append(ExtrapolationReporter(str(path), 1, append=append))
        simulation.step(1)
        header, *rows = path.read_text().splitlines()
        assert header == HEADER
        assert [row.split(",")[0] for row in rows] == steps


def test_atoms_of_a_mixed_system_keep_their_numbers():
    """The worst is an index of the System, its element the topology's."""
    topology = app.Topology()
    chain = topology.addChain()
    for symbol in ("C", "Si", "C", "Si"):
        element = app.Element.getBySymbol(symbol)
        topology.addAtom(symbol, element, topology.addResidue(symbol, chain))
    system, out = openmm.System(), io.StringIO()
    for _ in range(4):
        system.addParticle(1.0)
    potential = pair_potential()
    system.addForce(nnp.openmm.create_force(potential, topology, "python", particles=[1, 3]))
    simulation = app.Simulation(
        topology,
        system,
        openmm.VerletIntegrator(1e-6),
        openmm.Platform.getPlatform("Reference"),
    )
    simulation.context.setPositions([(0, 0, 0), (0.5, 0, 0), (1, 0, 0), (0.5, 0.15, 0)])
    simulation.reporters.append(ExtrapolationReporter(out, 1))
    simulation.step(1)
    _, count, atom, element, *_ = out.getvalue().splitlines()[-1].split(",")
    assert (count, element) == ("2", "Si")
    assert atom in {"1", "3"}


def test_one_of_several_forces_is_named():
    atoms = displaced()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(pair_potential(), start, "python")
    other = nnp.openmm.create_force(random_potential(("Si",), 1, ("radial",)), atoms, "python")
    system.addForce(other)
    simulation = app.Simulation(
        start.topology,
        system,
        openmm.VerletIntegrator(1e-6),
        openmm.Platform.getPlatform("Reference"),
    )
    simulation.context.setPositions(start.positions_nm)
    simulation.reporters.append(ExtrapolationReporter(io.StringIO(), 1))
    with pytest.raises(OptionError, match=r"has 2 forces .* the force to watch"):
        simulation.step(1)
    out = io.StringIO()
    simulation.reporters[0] = ExtrapolationReporter(out, 1, system.getForce(0))
    simulation.step(1)
    wanted = pair_potential().evaluate(atoms).extrapolations
    assert int(out.getvalue().splitlines()[-1].split(",")[1]) == wanted.n_atoms


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"report_interval": 0}, "report_interval=0: a whole number from 1"),
        ({"report_interval": 10.5}, r"report_interval=10\.5: a whole number from 1"),
        ({"max_extrapolations": -1}, "max_extrapolations=-1: a whole number from 0, or None"),
        ({"append": True}, "append=True: give the path of a file"),
        ({"force": openmm.CustomExternalForce("x")}, "is not a force of nnp.openmm.create_force"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(OptionError, match=message):
        ExtrapolationReporter(io.StringIO(), **({"report_interval": 1} | arguments))


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(OptionError, match="file=None with append=False: give the path of a file"):
        ExtrapolationReporter(None, 1)
    with pytest.raises(NNPError, match=r"cannot write .*r\.csv: No such file or directory"):
        ExtrapolationReporter(tmp_path / "nofolder" / "r.csv", 10)
    gc.collect()  # an exception in __del__ would be a warning, and so an error
    simulation = simulate(crystal())
    simulation.reporters.append(ExtrapolationReporter("/dev/full", 1))
    with pytest.raises(NNPError, match="cannot write /dev/full: the disk is full"):
        simulation.step(1)
    simulation.reporters.clear()
    gc.collect()


def test_the_file_is_closed_with_its_reporter(tmp_path):
    reporter = ExtrapolationReporter(tmp_path / "r.csv", 1)
    file = reporter._out
    del reporter
    gc.collect()
    assert file.closed


def test_a_system_without_our_force_is_refused():
    topology = app.Topology()
    topology.addAtom("H", app.element.hydrogen, topology.addResidue("X", topology.addChain()))
    system = openmm.System()
    system.addParticle(1.0)
    platform = openmm.Platform.getPlatform("Reference")
    simulation = app.Simulation(topology, system, openmm.VerletIntegrator(0.001), platform)
    simulation.context.setPositions([(0, 0, 0)])
    simulation.reporters.append(ExtrapolationReporter(io.StringIO(), 1))
    with pytest.raises(OptionError, match="has no forces of nnp"):
        simulation.step(1)


def test_a_force_inside_another():
    """As in the interpolated systems of openmm-ml, whose inner Context runs a copy."""
    need_plugin()
    atoms, out = displaced(), io.StringIO()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(pair_potential(), start, "native")
    outer = openmm.CustomCVForce("energy")
    outer.addCollectiveVariable("energy", copy.deepcopy(system.getForce(0)))
    system.removeForce(0)
    system.addForce(outer)
    integrator = openmm.VerletIntegrator(1e-6)
    platform = openmm.Platform.getPlatform("Reference")
    simulation = app.Simulation(start.topology, system, integrator, platform)
    simulation.context.setPositions(start.positions_nm)
    inner = system.getForce(0).getInnerContext(simulation.context).getSystem().getForce(0)
    simulation.reporters.append(ExtrapolationReporter(out, 1, inner))
    simulation.step(1)
    wanted = pair_potential().evaluate(atoms).extrapolations
    assert int(out.getvalue().splitlines()[-1].split(",")[1]) == wanted.n_atoms
