"""Stillinger-Weber silicon as OpenMM forces."""

from __future__ import annotations

import openmm

from nnp.teachers.stillinger_weber import SILICON, StillingerWeberParameters
from nnp.units import KJ_PER_MOL, NANOMETRE

# Single precision may hand an expression a distance a hair beyond the cutoff; min() keeps the
# exponent negative there, so that both terms are 0 and not exp(+inf).
_PAIR_TERM = "A * epsilon * (B * (sigma / r)^4 - 1) * exp(sigma / min(r - cutoff, -1e-7 * cutoff))"
_THREE_BODY_TERM = (
    "strength * (cos(angle(p2, p1, p3)) - cos_theta_0)^2"
    " * exp(decay / min(distance(p1, p2) - cutoff, -1e-7 * cutoff)"
    " + decay / min(distance(p1, p3) - cutoff, -1e-7 * cutoff))"
)


def create_stillinger_weber_forces(
    atoms: int, periodic: bool = True, parameters: StillingerWeberParameters = SILICON
) -> list[openmm.Force]:
    """The pair and the three-body part, for a system of silicon atoms alone.

    Args:
        atoms: number of particles in the system.
        periodic: whether the cell repeats.
        parameters: constants of the potential.

    Returns:
        A CustomNonbondedForce and a CustomManyParticleForce, for `System.addForce`.
    """
    pair = openmm.CustomNonbondedForce(_PAIR_TERM)
    triple = openmm.CustomManyParticleForce(3, _THREE_BODY_TERM)
    triple.setPermutationMode(openmm.CustomManyParticleForce.UniqueCentralParticle)
    _set_constants(pair, triple, parameters)
    for force in (pair, triple):
        force.setCutoffDistance(parameters.cutoff / NANOMETRE)
        force.setNonbondedMethod(force.CutoffPeriodic if periodic else force.CutoffNonPeriodic)
        for _ in range(atoms):
            force.addParticle([])
    return [pair, triple]


def _set_constants(
    pair: openmm.CustomNonbondedForce,
    triple: openmm.CustomManyParticleForce,
    parameters: StillingerWeberParameters,
) -> None:
    """Hand the constants over, in nm and kJ/mol."""
    epsilon_kj_mol = parameters.epsilon / KJ_PER_MOL
    sigma_nm = parameters.sigma / NANOMETRE
    pair.addGlobalParameter("A", parameters.A)
    pair.addGlobalParameter("B", parameters.B)
    pair.addGlobalParameter("epsilon", epsilon_kj_mol)
    pair.addGlobalParameter("sigma", sigma_nm)
    triple.addGlobalParameter("strength", parameters.lambda_ * epsilon_kj_mol)
    triple.addGlobalParameter("decay", parameters.gamma * sigma_nm)
    triple.addGlobalParameter("cos_theta_0", parameters.cos_theta_0)
    for force in (pair, triple):
        force.addGlobalParameter("cutoff", parameters.cutoff / NANOMETRE)
