"""Correlation functions and mean squared displacements of all time origins, by Fourier transform.

MSD(m) = 1/(N−m) Σ_t |r(t+m) − r(t)|² = S₁(m) − 2 S₂(m), S₂ the autocorrelation: Calandrini et al.,
Collection SFN 12, 201 (2011), doi:10.1051/sfn/201112010.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def autocorrelation(values: Floats, lags: int) -> Floats:
    """(lags, columns): mean over all origins of x(t) x(t+m).

    Args:
        values: (t, columns).
        lags: how many, from 0; at most t.
    """
    from scipy import fft

    count = len(values)
    length = fft.next_fast_len(count + lags, real=True)
    spectrum = fft.rfft(values, length, axis=0)
    power = spectrum.real**2 + spectrum.imag**2
    sums = fft.irfft(power, length, axis=0)[:lags]
    return np.asarray(sums / (count - np.arange(lags))[:, None])


def squared_displacements(paths: Floats, lags: int) -> Floats:
    """(lags, columns): mean over all origins of (x(t+m) − x(t))².

    Args:
        paths: (t, columns).
        lags: how many, from 0; at most t.
    """
    paths = paths - paths.mean(axis=0)  # cancellation below is then that of the spread
    count = len(paths)
    squares = paths**2
    ends = np.zeros((lags, paths.shape[1]))
    ends[1:] = np.cumsum(squares[: lags - 1] + squares[::-1][: lags - 1], axis=0)
    first = (2 * squares.sum(axis=0) - ends) / (count - np.arange(lags))[:, None]
    found = first - 2 * autocorrelation(paths, lags)
    return np.asarray(np.maximum(found, 0.0))
