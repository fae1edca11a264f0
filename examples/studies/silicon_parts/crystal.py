"""The perfect crystal: lattice constant, elasticity, phonons; with ASE, matscipy and phonopy."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.eos import calculate_eos
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa
from matscipy.elasticity import fit_elastic_constants
from md_parts.models import Model
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

_START = 5.431  # Å
# Reduced coordinates of the fcc lattice's reciprocal cell, and the modes there in rising order
_POINTS = {"Γ": (0.0, 0.0, 0.0), "X": (0.5, 0.0, 0.5)}
_DISPLACEMENT = 0.01  # Å: force constants are linear in it well beyond, rounding is far below


def lattice_constant(model: Model) -> float:
    """Edge of the cubic cell without stress, Å."""
    atoms = bulk("Si", a=_START, cubic=True)
    atoms.calc = model.calculator()
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-5, steps=200)
    return float(atoms.cell.lengths().mean())


def elasticity(model: Model, a: float) -> dict[str, float]:
    """Bulk modulus from the equation of state, and C11, C12, C44 with relaxed atoms, GPa."""
    crystal = bulk("Si", a=a, cubic=True)
    crystal.calc = model.calculator()
    _, _, modulus = calculate_eos(crystal, npoints=7, eps=0.02).fit()
    constants, _ = fit_elastic_constants(
        crystal,
        symmetry="cubic",
        N_steps=5,
        delta=2e-3,
        optimizer=BFGS,
        logfile=None,
        fmax=1e-6,
        verbose=False,
    )
    wanted = {"C11": (0, 0), "C12": (0, 1), "C44": (3, 3)}
    found = {name: float(constants[place] / GPa) for name, place in wanted.items()}
    return {"bulk modulus": float(modulus / GPa), **found}


def phonons(model: Model, a: float) -> dict[str, list[float]]:
    """Frequencies at Γ and X, THz: three acoustic and three optical modes each."""
    primitive = bulk("Si", a=a)
    cell = PhonopyAtoms(
        symbols=primitive.get_chemical_symbols(),
        cell=primitive.cell.array,
        scaled_positions=primitive.get_scaled_positions(),
    )
    phonon = Phonopy(cell, supercell_matrix=np.diag([4, 4, 4]), log_level=0)
    phonon.generate_displacements(distance=_DISPLACEMENT)
    calculator = model.calculator()
    forces = []
    for displaced in phonon.supercells_with_displacements:
        atoms = Atoms(
            displaced.symbols,
            cell=displaced.cell,
            scaled_positions=displaced.scaled_positions,
            pbc=True,
        )
        forces.append(calculator.get_forces(atoms))
    phonon.forces = forces
    phonon.produce_force_constants()
    phonon.run_qpoints(list(_POINTS.values()))
    frequencies = np.sort(phonon.qpoints.frequencies)
    return dict(zip(_POINTS, frequencies.tolist(), strict=True))
