"""Looks at a run's states: whether they are still those of atoms, and who is to blame."""

from __future__ import annotations

import warnings

from nnp.errors import NumericalError
from nnp.functions import describe
from nnp.limits import (
    default_max_extrapolations,
    default_max_speed,
    default_max_temperature,
    temperature_of,
    too_fast,
)
from nnp.md.dynamics import Dynamics
from nnp.md.snapshot import Snapshot
from nnp.potential import Potential
from nnp.values import counted

# Share of a training range by which an atom must be outside for the default limit to stop a run: of
# data at a temperature, all atoms of the ideal crystal are outside by some hundredths.
_SLIGHT = 0.1


class Watch:
    """Bounds of a run, from its settings and the state that it begins with.

    Args:
        dynamics: whose states.
        first: the state that the run, or its continuation, begins with.
        energy: total energy with which the segment began, eV; None: that of ``first``.
        potential: names functions in messages; None: they are told by number.

    Attributes:
        energy: the total energy from which drift counts, eV.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        first: Snapshot,
        energy: float | None,
        potential: Potential | None,
    ) -> None:
        self._dynamics, self._settings, self._potential = dynamics, dynamics.settings, potential
        self._symbols = [atom.element.symbol for atom in dynamics.start.topology.atoms()]
        self._told: set[str] = set()
        settings = self._settings
        self._max_temperature = settings.max_temperature or default_max_temperature(
            max(settings.hottest, first.temperature), dynamics.degrees_of_freedom
        )
        self._max_speed = settings.max_speed or default_max_speed(settings.timestep)
        given = settings.max_extrapolations
        n = len(self._symbols)
        self._max_extrapolations = default_max_extrapolations(n) if given is None else given
        self.energy = first.total_energy if energy is None else energy

    def motion(self, snapshot: Snapshot) -> None:
        """Refuse atoms that are too fast.

        Raises:
            NumericalError: see above; with ``keep_going`` it is a warning.
        """
        degrees, masses = self._dynamics.degrees_of_freedom, self._dynamics.masses
        temperature = temperature_of(snapshot.velocities, masses, degrees)
        limits = (self._max_speed, self._max_temperature)
        self._refuse("motion", too_fast(snapshot.velocities, self._symbols, temperature, *limits))

    def row(self, snapshot: Snapshot) -> None:
        """Refuse what a row of the log shows: drift of the energy, a spread, atoms out of range.

        Raises:
            NumericalError: see above; with ``keep_going`` it is a warning.
        """
        self._refuse("drift", self._drift(snapshot))
        self.spread(snapshot)
        self._refuse("extrapolation", self._extrapolation(snapshot))

    def spread(self, snapshot: Snapshot) -> None:
        """Refuse forces on which a committee disagrees.

        Raises:
            NumericalError: see above; with ``keep_going`` it is a warning.
        """
        limit = self._settings.stop_on_spread
        if limit is None or not snapshot.force_spread > limit:
            return
        atom = snapshot.spread_atom
        self._refuse(
            "spread",
            f"the committee's forces on atom {atom} ({self._symbols[atom]}) spread by "
            f"{snapshot.force_spread:.3g} eV/Å at step {snapshot.step}, more than stop_on_spread="
            f"{limit:g}",
        )

    def _drift(self, snapshot: Snapshot) -> str | None:
        if self._settings.ensemble != "nve":
            return None
        drift = (snapshot.total_energy - self.energy) / len(self._symbols)
        limit = self._settings.max_energy_drift
        if abs(drift) <= limit:
            return None
        return (
            f"the total energy has drifted by {drift:+.3g} eV per atom at step {snapshot.step}, "
            f"more than max_energy_drift={limit:g}"
        )

    def _extrapolation(self, snapshot: Snapshot) -> str | None:
        found, limit = snapshot.extrapolations, self._max_extrapolations
        if found is None or found.n_atoms <= limit or found.worst is None:
            return None
        if self._settings.max_extrapolations is None and abs(found.worst.relative) <= _SLIGHT:
            return None
        worst, verb = found.worst, "extrapolates" if found.n_atoms == 1 else "extrapolate"
        return (
            f"{counted(found.n_atoms, 'atom')} {verb}, more than max_extrapolations={limit}, "
            f"at step {snapshot.step}; worst: atom {worst.atom} ({self._symbols[worst.atom]}), "
            f"function {worst.function + 1}{self._described(worst.atom, worst.function)} by "
            f"{100 * worst.relative:+.0f} % of its training range"
        )

    def _described(self, atom: int, function: int) -> str:
        models = () if self._potential is None else self._potential.models
        for model in models:
            if model.symbol == self._symbols[atom] and function < len(model.functions):
                return f" ({describe(model.functions[function])})"
        return ""

    def _refuse(self, kind: str, problem: str | None) -> None:
        if problem is None:
            return
        if not self._settings.keep_going:
            raise NumericalError(problem)
        if kind not in self._told:
            self._told.add(kind)
            text = f"{problem}: the run continues, as keep_going (--keep-going) asks"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
