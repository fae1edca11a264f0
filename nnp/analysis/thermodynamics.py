"""Averages and fluctuations of a run's log: means, drift, heat capacity, expansion, bulk modulus.

With U the potential energy, f degrees of freedom (from the kinetic energy and the temperature) and
P the pressure of the barostat:

- nvt: C_V = var(U)/kT² + f k/2
- nve: C_V = (f k/2) / (1 − (f/2) var(K)/⟨K⟩²): Lebowitz, Percus, Verlet, Phys. Rev. 153, 250
  (1967), doi:10.1103/PhysRev.153.250
- npt: C_P = var(U + PV)/kT² + f k/2, α = cov(V, U + PV)/(kT² ⟨V⟩), B_T = kT ⟨V⟩/var(V):
  Allen, Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), section 2.5
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.blocks import block_average, jackknife
from nnp.analysis.correlation import autocorrelation
from nnp.analysis.equilibration import statistical_inefficiency
from nnp.analysis.results import Quantity
from nnp.errors import OptionError, UnavailableError
from nnp.units import AVOGADRO_PER_MOL, BAR, BOLTZMANN, ELEMENTARY_CHARGE_C

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]

ENSEMBLES = ("nve", "nvt", "npt")

# Ends of the names of columns, and the units that they stand for.
UNITS = {
    "_eV": "eV",
    "_K": "K",
    "_A3": "Å³",
    "_g_cm3": "g/cm³",
    "_bar": "bar",
    "_GPa": "GPa",
    "_A": "Å",
    "_deg": "°",
    "_eV_A3": "eV/Å³",
    "_eV_A": "eV/Å",
}
EV_PER_A3_IN_GPA = 1 / (BAR * 1e4)
# Share of the kinetic energy's fluctuation below which the total energy's says nve.
_CONSERVED = 0.1
# Relative fluctuation of a volume that does not change.
_FIXED = 1e-9
_PS_PER_NS = 1000.0
# Columns of what a run was told.
_TOLD = "target_"
_CELL = "cell_"
# Share of its variance by which a series goes against itself some time later.
_RINGING = 0.5


def split_name(column: str) -> tuple[str, str] | None:
    """Name and unit of a column; None where it is not a quantity to average.

    >>> split_name("density_g_cm3"), split_name("step")
    (('density', 'g/cm³'), None)
    """
    for end, unit in sorted(UNITS.items(), key=lambda item: -len(item[0])):
        if column.endswith(end):
            return column.removesuffix(end).replace("_", " "), unit
    return None


def ensemble_of(columns: Columns) -> tuple[str, str] | None:
    """The ensemble, and where it is known from; None where nothing tells.

    The log of `nnp md` has targets of pressure and temperature. Else the volume changes in npt, and
    the total energy moves far less than the kinetic one in nve.
    """
    if "target_temperature_K" in columns and len(columns["target_temperature_K"]):
        if np.isfinite(columns.get("target_pressure_bar", np.full(1, np.nan))[-1]):
            return "npt", "as the log says"
        held = np.isfinite(columns["target_temperature_K"][-1])
        return "nvt" if held else "nve", "as the log says"
    found = _looks_like(columns)
    return None if found is None else (found, "as its energies and volume look")


def _looks_like(columns: Columns) -> str | None:
    volume, total = columns.get("volume_A3"), columns.get("total_energy_eV")
    kinetic = columns.get("kinetic_energy_eV")
    if volume is not None and np.isfinite(volume).all() and np.ptp(volume) > _FIXED * volume[0]:
        return "npt"
    if total is None or kinetic is None or not np.isfinite(total).all() or len(total) < 2:
        return None
    trendless = total - np.polyval(np.polyfit(np.arange(len(total)), total, 1), range(len(total)))
    return "nve" if trendless.std() < _CONSERVED * kinetic.std() else "nvt"


def rings(values: Floats) -> bool:
    """Whether a series swings to and fro, hardly damped, as a cell does on a piston.

    Its fluctuations are then what it began with, and not the ensemble's.
    """
    lags = len(values) // 5
    if lags < 2 or not np.ptp(values) > 0:
        return False
    found = autocorrelation((values - values.mean())[:, None], lags)[:, 0]
    return bool(found.min() < -_RINGING * found[0])


def means(columns: Columns) -> list[Quantity]:
    """Of every column that has a unit."""
    found = []
    for column, values in columns.items():
        named = split_name(column)
        told = column.startswith(_TOLD)
        if named is None or told or not len(values) or not np.isfinite(values).all():
            continue
        if column.startswith(_CELL) and np.ptp(values) == 0:  # a cell that is held
            continue
        mean, error = block_average(values)
        found.append(Quantity(f"mean {named[0]}", float(mean), float(error), named[1], "log"))
    return found


def drift(columns: Columns, ensemble: str, atoms: int) -> Quantity | None:
    """Slope of what the dynamics conserves, meV per atom and ns; None where it is not known.

    That is the log's conserved energy, or in nve the total energy.
    """
    time, energy = columns.get("time_ps"), columns.get("conserved_energy_eV")
    what = "slope of the conserved energy"
    if energy is None or not np.isfinite(energy).all():
        energy = columns.get("total_energy_eV") if ensemble == "nve" else None
        what = "slope of the total energy"
    if time is None or energy is None or len(time) < 3 or not np.isfinite(energy).all():
        return None
    value, error = jackknife(lambda t, e: float(np.polyfit(t, e, 1)[0]), (time, energy))
    scale = 1000 * _PS_PER_NS / atoms
    return Quantity("energy drift", value * scale, error * scale, "meV/atom/ns", what)


def fluctuations(
    columns: Columns, ensemble: str, atoms: int, pressure_bar: float | None = None
) -> list[Quantity]:
    """What the ensemble's fluctuations tell; empty where a column is missing.

    Args:
        columns: of the log, equilibrated.
        ensemble: ``nve``, ``nvt`` or ``npt``.
        atoms: how many.
        pressure_bar: of the barostat; as the log says, else 1, where None.

    Raises:
        OptionError: no such ensemble.
    """
    if ensemble not in ENSEMBLES:
        raise OptionError(f"ensemble={ensemble!r}: allowed are {', '.join(ENSEMBLES)}")
    names = ["potential_energy_eV", "kinetic_energy_eV", "temperature_K"]
    names += ["volume_A3"] if ensemble == "npt" else []
    series = [columns.get(name) for name in names]
    there = [x for x in series if x is not None and np.isfinite(x).all() and len(x) > 2]
    if len(there) < len(names):
        return []
    if ensemble == "nve":
        moment = _Moment(there[1], there[1])
        return [_capacity("heat capacity C_V", _microcanonical, there, moment, atoms, "nve, LPV")]
    if ensemble == "nvt":
        moment = _Moment(there[0], there[0])
        return [_capacity("heat capacity C_V", _canonical, there, moment, atoms, "nvt, var(U)")]
    if pressure_bar is None:
        pressure_bar = float(columns.get("target_pressure_bar", np.ones(1)).mean())
    return _of_npt(there, pressure_bar * BAR, atoms)


def _of_npt(series: list[Floats], pressure: float, atoms: int) -> list[Quantity]:
    def with_work(u: Floats, k: Floats, t: Floats, v: Floats) -> float:
        return _canonical(u + pressure * v, k, t)

    def expansion(u: Floats, _: Floats, t: Floats, v: Floats) -> float:
        covariance = np.cov(v, u + pressure * v, ddof=1)[0, 1]
        return float(covariance / (BOLTZMANN * t.mean() ** 2 * v.mean()))

    def modulus(_: Floats, __: Floats, t: Floats, v: Floats) -> float:
        return float(BOLTZMANN * t.mean() * v.mean() / v.var(ddof=1) * EV_PER_A3_IN_GPA)

    volume = series[3]
    enthalpy = series[0] + pressure * volume
    how = "npt, var(U + PV)"
    work = _Moment(enthalpy, enthalpy)
    both, own = _Moment(volume, enthalpy), _Moment(volume, volume)
    alpha, alpha_error = both.judged(expansion, series)
    bulk, bulk_error = own.judged(modulus, series)
    return [
        _capacity("heat capacity C_P", with_work, series, work, atoms, how),
        Quantity("thermal expansion", alpha, alpha_error, "1/K", "npt, cov(V, U + PV)"),
        Quantity("bulk modulus", bulk, bulk_error, "GPa", "npt, var(V)"),
    ]


class _Moment:
    """⟨(x − ⟨x⟩)(y − ⟨y⟩)⟩ of two series, and how well their length knows it.

    Five blocks tell an error only within a third, and too small a one where they are not
    independent; the spread of the products and their statistical inefficiency give another.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        products = (x - x.mean()) * (y - y.mean())
        mean = float(products.mean())
        try:
            inefficiency = statistical_inefficiency(products)
        except UnavailableError:  # said where the beginning is cut
            inefficiency = 1.0
        error = float(products.std() * np.sqrt(inefficiency / len(products)))
        self.relative_error = abs(error / mean) if mean else np.inf

    def judged(
        self,
        estimate: Callable[..., float],
        series: list[Floats],
        gain: Callable[[float], float] = abs,
    ) -> tuple[float, float]:
        """An estimate from this moment, and the larger of its two errors.

        Args:
            estimate: of the series.
            series: as for `jackknife`.
            gain: by how much the estimate grows when the moment grows by its own size; all of it
                where one is in proportion to the other, or to its inverse.
        """
        value, error = jackknife(estimate, series)
        return value, float(np.fmax(error, self.relative_error * gain(value)))


def _capacity(
    name: str,
    estimate: Callable[..., float],
    series: list[Floats],
    moment: _Moment,
    atoms: int,
    how: str,
) -> Quantity:
    ideal = float(series[1].mean() / series[2].mean())  # f k / 2, which no fluctuation tells

    def gain(value: float) -> float:
        return abs(value - ideal) * (value / ideal if estimate is _microcanonical else 1.0)

    value, error = moment.judged(estimate, series, gain)
    scale = ELEMENTARY_CHARGE_C * AVOGADRO_PER_MOL / atoms  # eV/K of all → J/(mol K) of atoms
    return Quantity(name, value * scale, error * scale, "J/(mol K)", f"{how}, per mole of atoms")


def _canonical(potential: Floats, kinetic: Floats, temperature: Floats) -> float:
    """eV/K."""
    t = temperature.mean()
    return float(potential.var(ddof=1) / (BOLTZMANN * t**2) + kinetic.mean() / t)


def _microcanonical(_: Floats, kinetic: Floats, temperature: Floats) -> float:
    """eV/K."""
    ideal = kinetic.mean() / temperature.mean()  # f k / 2
    share = ideal / BOLTZMANN * kinetic.var(ddof=1) / kinetic.mean() ** 2
    return float(ideal / (1 - share))
