"""Mean squared displacements and diffusion coefficients, with errors.

D = 1/6 d MSD/dt, from a straight line through the lags from an eighth to a quarter of a block of
time: later ones have few independent origins. Its error is from blocks, each with a line of its
own. In a periodic cell D is too small by k_B T ξ / (6 π η L), ξ = 2.837297: Yeh, Hummer, J. Phys.
Chem. B 108, 15873 (2004), doi:10.1021/jp0477147; Dünweg, Kremer, J. Chem. Phys. 99, 6983 (1993),
doi:10.1063/1.465445.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.blocks import BLOCKS
from nnp.analysis.correlation import squared_displacements
from nnp.analysis.spool import Spool
from nnp.units import BOLTZMANN_J_PER_K

Floats = NDArray[np.float64]

_XI = 2.837297  # of a cubic lattice of images
# Å²/fs in cm²/s and in m²/s
CM2_PER_S = 1e-1
# Powers of time of the MSD: below, atoms are held back; above, they still fly as they began.
_DIFFUSIVE = (0.85, 1.15)
# A vibrating crystal's MSD grows as time, too, on its way from flight (2) to rest (0), in less than
# a period of its vibrations.
EARLIEST_PS = 0.2
_ABOUT = 0.999  # times are sums of spacings
_FEWEST_LAGS = 5


@dataclass(frozen=True, eq=False)
class Displacements:
    """MSD of one element.

    Attributes:
        times_ps: (lags,).
        msd: (lags,), Å²; from all origins of the whole run.
        error: (lags,), of the means over blocks.
        coefficient: D, 1e-5 cm²/s.
        coefficient_error: its standard error.
        exponent: α of MSD ∝ t^α where D is taken: 1 where atoms diffuse, 0 where they are held, 2
            where they fly.
        window_ps: lags between which D is taken.
    """

    times_ps: Floats
    msd: Floats
    error: Floats
    coefficient: float
    coefficient_error: float
    exponent: float
    window_ps: tuple[float, float]

    @property
    def diffuses(self) -> bool:
        """Whether the MSD is in proportion to time there, and velocities are forgotten."""
        return self.late and _DIFFUSIVE[0] < self.exponent < _DIFFUSIVE[1]

    @property
    def late(self) -> bool:
        """Whether D is taken where atoms do not remember how they moved."""
        return self.window_ps[0] > _ABOUT * EARLIEST_PS


def displacements(
    paths: Spool, elements: NDArray[np.int64], spacing_ps: float, blocks: int = BLOCKS
) -> dict[int, Displacements]:
    """MSD and D by element.

    Args:
        paths: (t, 3 n) unwrapped displacements, Å.
        elements: (n,) atomic numbers.
        spacing_ps: between two frames.
        blocks: of time.

    Returns:
        By atomic number; empty where there are too few frames.
    """
    size = len(paths) // blocks
    lags = size // 2 + 1
    if lags < _FEWEST_LAGS:
        return {}
    of_columns = np.repeat(elements, 3)
    kinds = np.unique(elements)
    whole = {int(z): np.zeros(lags) for z in kinds}
    parts = {int(z): np.zeros((blocks, lags)) for z in kinds}
    for columns, values in paths.groups():
        here = of_columns[columns]
        full = squared_displacements(values, lags)
        each = [
            squared_displacements(values[b * size : (b + 1) * size], lags) for b in range(blocks)
        ]
        for z in whole:
            chosen = here == z
            whole[z] += full[:, chosen].sum(axis=1)
            parts[z] += np.array([part[:, chosen].sum(axis=1) for part in each])
    counts = {z: int(np.sum(elements == z)) for z in whole}
    return {z: _fitted(whole[z] / n, parts[z] / n, spacing_ps) for z, n in counts.items()}


def _fitted(msd: Floats, parts: Floats, spacing_ps: float) -> Displacements:
    lags, blocks = len(msd), len(parts)
    times = np.asarray(spacing_ps * np.arange(lags), np.float64)
    window = slice(max(1, (lags - 1) // 4), max(3, (lags - 1) // 2 + 1))
    slopes = np.polyfit(times[window], parts[:, window].T, 1)[0]
    slope = float(np.polyfit(times[window], msd[window], 1)[0])
    to_unit = CM2_PER_S * 1e5 / (6 * 1000.0)  # of Å²/ps
    error = parts.std(axis=0, ddof=1) / np.sqrt(blocks)
    exponent = 0.0
    if (msd[window] > 0).all():
        exponent = float(np.polyfit(np.log(times[window]), np.log(msd[window]), 1)[0])
    return Displacements(
        times,
        msd,
        error,
        slope * to_unit,
        float(slopes.std(ddof=1) / np.sqrt(blocks)) * to_unit,
        exponent,
        (float(times[window][0]), float(times[window][-1])),
    )


def finite_size_correction(temperature: float, volume: float, viscosity_mpa_s: float) -> float:
    """What to add to D of a cubic cell, 1e-5 cm²/s.

    Args:
        temperature: K.
        volume: Å³.
        viscosity_mpa_s: shear viscosity, mPa s.

    >>> round(finite_size_correction(298.15, 18.64**3, 0.85), 3)  # 216 molecules of water
    0.391
    """
    length_m = volume ** (1 / 3) * 1e-10
    per_s = _XI * BOLTZMANN_J_PER_K * temperature / (6 * np.pi * viscosity_mpa_s * 1e-3 * length_m)
    return float(per_s * 1e4 * 1e5)
