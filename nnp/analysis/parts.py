"""The parts of an analysis, each put into it: thermodynamics, structure, angles, motion."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnp.analysis import thermodynamics
from nnp.analysis.angles import AngleCounts
from nnp.analysis.diffusion import (
    EARLIEST_PS,
    Displacements,
    displacements,
    finite_size_correction,
)
from nnp.analysis.gathering import Gathered
from nnp.analysis.production import Production
from nnp.analysis.rdf import TOTAL, PairCounts, PairDistribution
from nnp.analysis.results import Analysis, Curve, Quantity
from nnp.analysis.settings import AnalysisSettings
from nnp.analysis.structure_factor import structure_factors
from nnp.analysis.trajectories import Trajectory
from nnp.analysis.vibrations import Vibrations, vibrations
from nnp.elements import chemical_symbol

Floats = NDArray[np.float64]

# Errors that a number must be away from zero.
_SIGNIFICANT = 2.0
_DIFFUSION_UNIT = "1e-5 cm²/s"


def add_thermodynamics(
    found: Analysis, columns: Mapping[str, Floats], atoms: int, settings: AnalysisSettings
) -> None:
    """Means, drift and fluctuations of a log, or of what the frames say."""
    found.quantities += thermodynamics.means(columns)
    told = None if settings.ensemble is None else (settings.ensemble, "as told")
    known = told or thermodynamics.ensemble_of(columns)
    if known is None:
        found.notes.append(
            "no heat capacity: it needs potential and kinetic energies over time (the log of nnp "
            "md, --log, or velocities and energies in the frames)"
        )
    else:
        ensemble, how = known
        found.about["ensemble"] = f"{ensemble}, {how}"
        if slope := thermodynamics.drift(columns, ensemble, atoms):
            found.quantities.append(slope)
        volume = columns.get("volume_A3", np.empty(0))
        if ensemble == "npt" and thermodynamics.rings(volume):
            found.notes.append(
                "the volume oscillates with little damping (as with a Nosé-Hoover barostat in "
                "a crystal)"
                ": what its fluctuations tell (C_P, expansion, bulk modulus) is the "
                "barostat's, not the ensemble's; a Monte Carlo barostat does not oscillate"
            )
        for one in thermodynamics.fluctuations(columns, ensemble, atoms, settings.pressure_bar):
            _add_if_known(found, one)
    if "time_ps" in columns:
        shown = {n: v for n, v in columns.items() if thermodynamics.split_name(n)}
        found.curves["thermodynamics"] = Curve("time_ps", np.asarray(columns["time_ps"]), shown)


def _add_if_known(found: Analysis, one: Quantity) -> None:
    """A fluctuation's answer, or how much longer the run would have to be for it."""
    if not abs(one.value) < _SIGNIFICANT * one.error:
        found.quantities.append(one)
        return
    longer = (_SIGNIFICANT * one.error / abs(one.value)) ** 2 if one.value else float("inf")
    found.notes.append(
        f"no {one.name}: {one.text} {one.unit} cannot be told from zero; a run about "
        f"{max(longer, 2):.0f} times as long, or the change between runs at two temperatures or "
        "pressures, tells it"
    )


def add_structure(found: Analysis, pairs: PairCounts) -> dict[str, PairDistribution]:
    """g(r), numbers of neighbours, S(k)."""
    distributions = pairs.distributions()
    for name, one in distributions.items():
        place, height = one.highest()
        found.quantities.append(Quantity(f"g(r) peak {name}", place, np.nan, "Å", "highest"))
        found.quantities.append(
            Quantity(f"g(r) peak height {name}", height, float(one.error[one.mean.argmax()]), "")
        )
        minimum = one.first_minimum()
        if minimum is None:
            continue
        found.quantities.append(Quantity(f"g(r) first minimum {name}", minimum, np.nan, "Å"))
        found.quantities.append(
            Quantity(
                f"coordination {name}",
                *one.coordination(minimum),
                "",
                f"{name.rpartition('-')[2]} within {minimum:.2f} Å",
            )
        )
    first = distributions[TOTAL]
    values = {name: one.mean for name, one in distributions.items()}
    errors = {name: one.error for name, one in distributions.items()}
    found.curves["rdf"] = Curve("r_A", first.r, values, errors)
    found.curves["structure_factor"] = structure_factors(distributions)
    return distributions


def add_angles(
    found: Analysis,
    gathered: Gathered,
    distributions: Mapping[str, PairDistribution],
    settings: AnalysisSettings,
) -> None:
    """Angles between bonds that are shorter than the first minima, or as told."""
    bonds: dict[str, float] = {}
    elements = {chemical_symbol(int(z)) for z in gathered.kept[0][0].atomic_numbers}
    for name, one in distributions.items():
        if name == TOTAL and len(elements) > 1:
            continue
        symbol = next(iter(elements))
        pair = f"{symbol}-{symbol}" if name == TOTAL else name
        back = "-".join(reversed(pair.split("-")))
        limit = settings.bonds.get(pair, settings.bonds.get(back))
        limit = one.first_minimum() if limit is None and not settings.bonds else limit
        if limit is not None:
            bonds[pair] = limit
    if not bonds:
        found.notes.append(
            "no angles: no g(r) has a first minimum to tell bonds by; --bond Si-O=2.2 says one"
        )
        return
    counts = AngleCounts(bonds, settings.blocks)
    for structure, block in gathered.kept:
        counts.add(structure, min(block, settings.blocks - 1))
    found.about["bonds below / Å"] = bonds
    found.curves["angles"] = counts.curve()
    for name, (mean, error) in counts.means().items():
        found.quantities.append(Quantity(f"mean angle {name}", mean, error, "°"))


def add_motion(
    found: Analysis,
    trajectory: Trajectory,
    gathered: Gathered,
    production: Production,
    settings: AnalysisSettings,
) -> None:
    """Displacements, diffusion, velocities, vibrations."""
    if gathered.paths is None or production.spacing_ps is None:
        return
    spacing, numbers = production.spacing_ps, trajectory.numbers
    if gathered.unwrapper.doubtful:
        found.notes.append(
            f"an atom moved {100 * gathered.unwrapper.longest_step:.0f} % of the cell between two "
            "frames: its path cannot be followed, displacements may be wrong; write frames "
            "more often"
        )
    moved = displacements(gathered.paths, numbers, spacing, settings.blocks)
    if not moved:
        found.notes.append(
            "no displacements: too few frames for blocks of time; run longer, or --blocks 2"
        )
    else:
        first = next(iter(moved.values()))
        named = {chemical_symbol(z): one for z, one in moved.items()}
        found.curves["msd"] = Curve(
            "lag_ps",
            first.times_ps,
            {s: one.msd for s, one in named.items()},
            {s: one.error for s, one in named.items()},
        )
        for symbol, one in named.items():
            _add_diffusion(found, symbol, one, settings)
    if gathered.velocities is None or len(gathered.velocities) < gathered.frames:
        found.notes.append(
            "no velocity autocorrelation and vibrations: the frames hold no velocities (nnp md "
            "writes them to extxyz)"
        )
        return
    _add_vibrations(
        found, vibrations(gathered.velocities, numbers, spacing, settings.blocks), numbers
    )


def _add_diffusion(
    found: Analysis, symbol: str, one: Displacements, settings: AnalysisSettings
) -> None:
    begin, end = one.window_ps
    how = f"MSD from {begin:.4g} to {end:.4g} ps, centre of mass at rest, no finite-size correction"
    value, error = one.coefficient, one.coefficient_error
    if not one.diffuses:
        found.quantities.append(
            Quantity(f"MSD {symbol}", *_last(one), "Å²", f"after {one.times_ps[-1]:.4g} ps")
        )
        found.notes.append(f"no diffusion coefficient of {symbol}: {_why_none(one)}")
        return
    found.quantities.append(Quantity(f"diffusion {symbol}", value, error, _DIFFUSION_UNIT, how))
    try:
        temperature, volume = found["mean temperature"].value, found["mean volume"].value
    except KeyError:
        found.notes.append(
            f"D of {symbol} is that of a periodic cell: the correction of Yeh and Hummer needs "
            "temperature and volume (--log)"
        )
        return
    viscosity = settings.viscosity_mpa_s
    correction = finite_size_correction(temperature, volume, viscosity or 1.0)
    if viscosity is None:
        found.notes.append(
            f"D of {symbol} is that of a periodic cell: an infinite one has {correction:.3g} / "
            f"(η / mPa s) {_DIFFUSION_UNIT} more (Yeh and Hummer, cubic cell): --viscosity adds it"
        )
        return
    found.quantities.append(
        Quantity(
            f"diffusion {symbol}, infinite cell",
            value + correction,
            error,
            _DIFFUSION_UNIT,
            f"with {correction:.3g} of Yeh and Hummer for η = {viscosity:g} mPa s",
        )
    )


def _why_none(one: Displacements) -> str:
    begin, end = one.window_ps
    if not one.late:
        times = math.ceil(10 * EARLIEST_PS / begin) / 10
        return (
            f"it would be taken from {begin:.4g} to {end:.4g} ps, where atoms still remember how "
            f"they moved ({EARLIEST_PS:g} ps at least); run {times:g} times as long"
        )
    return (
        f"its MSD grows as time to the {one.exponent:.2f} from {begin:.4g} to {end:.4g} ps (1 "
        "where atoms diffuse, 2 where they fly freely; a longer run may tell)"
    )


def _last(one: Displacements) -> tuple[float, float]:
    return float(one.msd[-1]), float(one.error[-1])


def _add_vibrations(
    found: Analysis, vibrating: Mapping[int, Vibrations], numbers: NDArray[np.int64]
) -> None:
    if not vibrating:
        found.notes.append(
            "no velocity autocorrelation and vibrations: blocks of time are too short (half of one "
            "should be 0.2 ps and 8 frames); run longer, or --blocks 2"
        )
        return
    first = next(iter(vibrating.values()))
    if not all(one.resolved for one in vibrating.values()):
        spacing_fs = 1000 * (first.times_ps[1] - first.times_ps[0])
        found.notes.append(
            "no velocity autocorrelation and vibrations: velocities lose their correlation "
            "between two frames"
            f" {spacing_fs:.4g} fs apart; write a frame every 5 to 10 fs for them"
        )
        return
    named = {chemical_symbol(z): one for z, one in vibrating.items()}
    found.curves["vacf"] = Curve(
        "lag_ps",
        first.times_ps,
        {s: one.vacf for s, one in named.items()},
        {s: one.vacf_error for s, one in named.items()},
    )
    shares = {z: float(np.mean(numbers == z)) for z in vibrating}
    densities = {s: one.density for s, one in named.items()}
    if len(named) > 1:
        densities["total"] = sum(
            (shares[z] * one.density for z, one in vibrating.items()),
            np.zeros_like(first.density),
        )
    found.curves["vdos"] = Curve(
        "frequency_THz",
        first.frequencies_thz,
        densities,
        {s: one.density_error for s, one in named.items()},
    )
