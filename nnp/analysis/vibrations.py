"""Velocity autocorrelation, and the vibrational density of states: its Fourier transform.

g(ν) = 4 ∫₀^∞ C(t) cos(2πνt) dt, C(0) = 1, so that ∫ g dν = 1; C ends in a Hann window.
Reference: Dickey, Paskin, Phys. Rev. 188, 1407 (1969), doi:10.1103/PhysRev.188.1407.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.blocks import BLOCKS
from nnp.analysis.correlation import autocorrelation
from nnp.analysis.rdf import sem
from nnp.analysis.spool import Spool

Floats = NDArray[np.float64]

_LONGEST_PS = 4.0  # of C(t): peaks are 1/(2 · 4 ps) = 0.13 THz wide at least
_FEWEST_LAGS = 8
_SHORTEST_PS = 0.2  # peaks would be wider than 2.5 THz
# Where C has fallen below this from one frame to the next, faster vibrations look like slow ones.
_SEEN = 0.5


@dataclass(frozen=True, eq=False)
class Vibrations:
    """Of one element.

    Attributes:
        times_ps: (lags,).
        vacf: (lags,), 1 at 0.
        vacf_error: (lags,).
        frequencies_thz: (lags,).
        density: (lags,), 1/THz, of integral 1.
        density_error: (lags,).
    """

    times_ps: Floats
    vacf: Floats
    vacf_error: Floats
    frequencies_thz: Floats
    density: Floats
    density_error: Floats

    @property
    def resolved(self) -> bool:
        """Whether frames are close enough in time for the fastest vibrations."""
        return float(self.vacf[1]) > _SEEN


def vibrations(
    velocities: Spool, elements: NDArray[np.int64], spacing_ps: float, blocks: int = BLOCKS
) -> dict[int, Vibrations]:
    """By atomic number; empty where there are too few frames.

    Args:
        velocities: (t, 3 n), any unit.
        elements: (n,) atomic numbers.
        spacing_ps: between two frames.
        blocks: of time.
    """
    size = len(velocities) // blocks
    lags = min(size // 2, int(_LONGEST_PS / spacing_ps) + 1)
    if lags < _FEWEST_LAGS or (lags - 1) * spacing_ps < _SHORTEST_PS:
        return {}
    of_columns = np.repeat(elements, 3)
    sums = {int(z): np.zeros((blocks, lags)) for z in np.unique(elements)}
    for columns, values in velocities.groups():
        here = of_columns[columns]
        for block in range(blocks):
            found = autocorrelation(values[block * size : (block + 1) * size], lags)
            for z, total in sums.items():
                total[block] += found[:, here == z].sum(axis=1)
    return {z: _normalised(total, spacing_ps) for z, total in sums.items() if total[:, 0].all()}


def _normalised(sums: Floats, spacing_ps: float) -> Vibrations:
    from scipy.fft import dct

    each = sums / sums[:, :1]
    lags = each.shape[1]
    window = 0.5 * (1 + np.cos(np.pi * np.arange(lags) / (lags - 1)))
    densities = 2 * spacing_ps * dct(each * window, type=1, axis=1)
    return Vibrations(
        np.asarray(spacing_ps * np.arange(lags), np.float64),
        each.mean(axis=0),
        sem(each),
        np.asarray(np.arange(lags) / (2 * spacing_ps * (lags - 1)), np.float64),
        densities.mean(axis=0),
        sem(densities),
    )
