"""Potentials for openmm-ml: ``MLPotential("nnp", path="silicon.nnp")``.

openmm-ml finds the factory through the entry point ``nnp`` of the group ``openmmml.potentials`` and
imports this module whenever it is imported itself, so nothing else is imported here.
"""

from __future__ import annotations

from typing import Any

# Arguments that openmm-ml's embeddings take and pass on.
_OF_EMBEDDINGS = ("linkAtomDistances", "mlLongRange")


class NNPPotentialImplFactory:
    """What openmm-ml calls; an ``openmmml.mlpotential.MLPotentialImplFactory`` by its method."""

    def createImpl(self, name: str, **args: Any) -> Any:  # noqa: N802  openmm-ml's name
        """The implementation of one potential.

        Args:
            name: ``"nnp"``.
            **args: ``path`` of a potential, with ``units`` where its files do not say them (see
                `nnp.load`), or ``potential``: a `nnp.Potential`.

        Raises:
            OptionError: neither ``path`` nor ``potential``, both, or another argument.
        """
        from openmmml.mlpotential import MLPotentialImpl

        kind = type("NNPPotentialImpl", (_Implementation, MLPotentialImpl), {})
        return kind(_read(name, **args))


class _Implementation:
    """An ``openmmml.mlpotential.MLPotentialImpl``."""

    def __init__(self, potential: Any) -> None:
        self.potential = potential

    def addForces(  # noqa: N802  openmm-ml's name
        self,
        topology: Any,
        system: Any,
        atoms: Any,
        forceGroup: int,
        **args: Any,
    ) -> None:
        """Add the potential's force to a System.

        Args:
            topology: of the System.
            system: where to add it.
            atoms: indices of the atoms that the potential describes; None: all.
            forceGroup: of the new force.
            **args: of `nnp.openmm.create_force`: ``route``, ``dtype``, ``threads``,
                ``scale_parameter``, …
        """
        from nnp.openmm import create_force

        options = {name: value for name, value in args.items() if name not in _OF_EMBEDDINGS}
        options.setdefault(
            "periodic",
            topology.getPeriodicBoxVectors() is not None or system.usesPeriodicBoundaryConditions(),
        )
        if atoms is not None:
            options["particles"] = sorted(atoms)
        force = create_force(self.potential, topology, **options)
        force.setForceGroup(forceGroup)
        system.addForce(force)

    def getMLLongRange(self) -> bool:  # noqa: N802  openmm-ml's name
        """False: atoms beyond the cutoff do not interact."""
        return False


def _read(
    name: str, path: Any = None, potential: Any = None, units: Any = None, **args: Any
) -> Any:
    import nnp
    from nnp.errors import OptionError

    if args:
        raise OptionError(
            f"MLPotential({name!r}) has no argument {next(iter(args))!r}: it takes path and units, "
            "or potential; options of the force go to createSystem"
        )
    if (path is None) == (potential is None):
        raise OptionError(
            f"MLPotential({name!r}) needs path=…, where the potential lies, or potential=…, "
            "one of the two"
        )
    return nnp.load(path, units) if potential is None else potential
