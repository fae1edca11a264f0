"""A peptide bond by a neural network in force-field water, and the way there from a force field.

    python examples/06_ml_mm.py [folder]

Needs openmm-ml and tblite: pip install 'nnp-md[openmmml,studies]'. A small potential learns
N-methylacetamide (ACE-NME) from GFN2-xTB dynamics in vacuum. It then replaces Amber's terms inside
the molecule, while water and its interactions with the molecule stay Amber14 and TIP3P (mechanical
embedding). The parameter lambda_interpolate goes from the force field (0) to the mixed system (1),
and the mean of dU/dλ on the way gives the free energy of the change.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import ase.io
import numpy as np
import openmm
from ase import Atoms
from ase.optimize import BFGS
from openmm import app, unit
from openmmml import MLPotential
from tblite.ase import TBLite

import nnp
from nnp.openmm import ExtrapolationReporter
from nnp.train import Dataset, evaluate, read_settings, train
from nnp.train.data.sampling import SampleSettings, sample
from nnp.units import KJ_PER_MOL

KELVIN, PS = 300.0, 0.0005
STEPS, INTERVAL = 240, 20
LAMBDA = "lambda_interpolate"  # openmm-ml's name
# Residue → atom, element, rough place (Å); hydrogens come by OpenMM, the rest by relaxation.
HEAVY_ATOMS = {
    "ACE": (("CH3", "C", (-1.4, 0.8, 0)), ("C", "C", (0, 0.2, 0)), ("O", "O", (0.2, -1.0, 0))),
    "NME": (("N", "N", (1.0, 1.1, 0)), ("C", "C", (2.4, 0.7, 0))),
}
SETTINGS = """
[data]
train = "molecule.extxyz"
[functions.generate]
cutoff = 5.0
[[functions.generate.radial]]
count = 4
r_first = 0.9
[[functions.generate.angular]]
widths = [4.0]
zetas = [1.0, 4.0]
[network]
hidden = [6, 6]
[run]
epochs = 8
output = "training"
"""


def teacher() -> TBLite:
    """GFN2-xTB: some milliseconds for such a molecule."""
    return TBLite(method="GFN2-xTB", verbosity=0)


def build(field: app.ForceField) -> tuple[app.Modeller, Atoms]:
    """The molecule for OpenMM, and relaxed by the teacher."""
    topology, places = app.Topology(), []
    chain = topology.addChain()
    for name, atoms in HEAVY_ATOMS.items():
        residue = topology.addResidue(name, chain)
        for atom, symbol, place in atoms:
            topology.addAtom(atom, app.Element.getBySymbol(symbol), residue)
            places.append(place)
    topology.createStandardBonds()
    modeller = app.Modeller(topology, np.array(places) / 10 * unit.nanometer)
    modeller.addHydrogens(field, platform=openmm.Platform.getPlatform("Reference"))
    symbols = [atom.element.symbol for atom in modeller.topology.atoms()]
    molecule = Atoms(symbols, modeller.positions.value_in_unit(unit.angstrom), calculator=teacher())
    BFGS(molecule, logfile=None).run(fmax=0.01)
    return app.Modeller(modeller.topology, molecule.positions / 10 * unit.nanometer), molecule


def learn(molecule: Atoms, folder: Path) -> nnp.Potential:
    """A potential from the teacher's dynamics at three temperatures, and its errors at 300 K."""
    hot = SampleSettings((300.0, 600.0, 1200.0), snapshots=50, interval=8, equilibration=100)
    ase.io.write(folder / "molecule.extxyz", sample([molecule], teacher, hot))
    (folder / "fit.toml").write_text(SETTINGS, encoding="utf-8")
    potential = train(read_settings(folder / "fit.toml"), force=True).potential
    warm = SampleSettings((KELVIN,), snapshots=30, interval=20, seed=5)
    test = Dataset.from_atoms(sample([molecule], teacher, warm))
    report = evaluate(potential, test)
    errors = {name: c.statistics()["rmse"] for name, c in report.comparisons.items()}
    energy, forces = f"{1e3 * errors['energy']:.1f} meV/atom", f"{errors['forces']:.2f} eV/Å"
    print(f"errors of the potential at {KELVIN:.0f} K (RMSE): {energy}, {forces}")
    return potential


def interpolated(
    potential: nnp.Potential, modeller: app.Modeller, system: openmm.System, n_molecule: int
) -> app.Simulation:
    """Both descriptions in one System, and dU/dλ among what a State can tell."""
    mixed = MLPotential("nnp", potential=potential).createMixedSystem(
        modeller.topology, system, list(range(n_molecule)), interpolate=True
    )
    (both,) = (force for force in mixed.getForces() if isinstance(force, openmm.CustomCVForce))
    both.addEnergyParameterDerivative(LAMBDA)
    integrator = openmm.LangevinMiddleIntegrator(KELVIN, 5.0, PS)
    integrator.setRandomNumberSeed(1)
    platform = openmm.Platform.getPlatform("CPU")
    simulation = app.Simulation(modeller.topology, mixed, integrator, platform)
    simulation.context.setPositions(modeller.positions)
    inner = both.getInnerContext(simulation.context).getSystem()
    (ours,) = (force for force in inner.getForces() if force.getName() == "NNP")
    simulation.reporters.append(ExtrapolationReporter(sys.stdout, STEPS, ours))
    return simulation


def slope(simulation: app.Simulation) -> float:
    """dU/dλ of the present positions, eV."""
    state = simulation.context.getState(parameterDerivatives=True)
    return state.getEnergyParameterDerivatives()[LAMBDA] * KJ_PER_MOL


def by_hand(simulation: app.Simulation) -> float:
    """U(λ = 1) − U(λ = 0) of the present positions, eV: the same, since U is linear in λ."""
    context = simulation.context
    energies = []
    for mix in (0.0, 1.0):
        context.setParameter(LAMBDA, mix)
        energies.append(context.getState(energy=True).getPotentialEnergy()._value)  # noqa: SLF001
    context.setParameter(LAMBDA, 0.0)
    return (energies[1] - energies[0]) * KJ_PER_MOL


def main(folder: Path) -> None:
    random.seed(1)  # OpenMM's, of the hydrogens' first places and the water
    field = app.ForceField("amber14-all.xml", "amber14/tip3p.xml")
    modeller, molecule = build(field)
    potential = learn(molecule, folder)
    zero = potential.evaluate(molecule).energy
    modeller.addSolvent(field, boxSize=openmm.Vec3(2, 2, 2) * unit.nanometer)
    system = field.createSystem(
        modeller.topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9 * unit.nanometer
    )
    simulation = interpolated(potential, modeller, system, len(molecule))
    simulation.context.setParameter(LAMBDA, 0.0)
    simulation.minimizeEnergy(maxIterations=50)
    simulation.context.setVelocitiesToTemperature(KELVIN, 1)
    print(f"{system.getNumParticles()} atoms; dU/dλ = {slope(simulation) - zero:.4f} eV,")
    print(f"U(1) - U(0) = {by_hand(simulation) - zero:.4f} eV")
    simulation.step(STEPS)
    lambdas = np.linspace(0, 1, 5)
    means = []
    for mix in lambdas:
        simulation.context.setParameter(LAMBDA, mix)
        simulation.step(STEPS // 4)
        slopes = []
        for _ in range(STEPS // INTERVAL):
            simulation.step(INTERVAL)
            slopes.append(slope(simulation) - zero)
        means.append(np.mean(slopes))
        print(f"λ = {mix:.2f}: <dU/dλ> = {means[-1]:+.3f} eV, deviation {np.std(slopes):.3f} eV")
    change = np.trapezoid(means, lambdas)
    print(f"free energy from force field to network: {change:+.3f} eV,")
    print("with the network's energy counted from the molecule at rest in vacuum")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
