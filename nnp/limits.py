"""When a simulation has left what atoms can do: bounds, and who broke them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnp.units import BOLTZMANN, EV_PER_U_A2_FS2

# An atom that moves further than this in one step, Å, is not integrated any more.
LONGEST_STEP = 0.5
# Of a run's own temperature, or of the lowest, K; so many degrees of freedom may fluctuate more.
_TIMES_HOTTER, _LOWEST, _FEW = 10.0, 1000.0, 10.0


def default_max_temperature(temperature: float, degrees_of_freedom: int) -> float:
    """K: ten times the run's own, or of 1,000 K where that is lower; more for few atoms.

    Args:
        temperature: of thermostat or start, whichever is higher, K.
        degrees_of_freedom: whose temperature fluctuates by √(2/f).

    >>> default_max_temperature(300, 300)
    10333.333333333334
    """
    few = 1 + _FEW / max(degrees_of_freedom, 1)
    return _TIMES_HOTTER * few * max(temperature, _LOWEST)


def default_max_speed(timestep_fs: float) -> float:
    """Å/fs: half an Å in one step."""
    return LONGEST_STEP / timestep_fs


def default_max_extrapolations(n_atoms: int) -> int:
    """Half of the atoms, but no less than 10."""
    return max(10, n_atoms // 2)


def temperature_of(
    velocities: NDArray[np.float64], masses: NDArray[np.float64], degrees_of_freedom: int
) -> float:
    """K.

    Args:
        velocities: (n, 3) Å/fs.
        masses: (n,) u.
        degrees_of_freedom: among which the kinetic energy is shared.
    """
    kinetic = 0.5 * EV_PER_U_A2_FS2 * float((masses[:, None] * velocities**2).sum())
    return 2 * kinetic / (max(degrees_of_freedom, 1) * BOLTZMANN)


def too_fast(
    velocities: NDArray[np.float64],
    symbols: Sequence[str],
    temperature: float,
    max_speed: float,
    max_temperature: float,
) -> str | None:
    """Who is too fast, as a part of a message; None where nobody is.

    Args:
        velocities: (n, 3) Å/fs, finite.
        symbols: of the n atoms.
        temperature: K.
        max_speed: Å/fs.
        max_temperature: K.
    """
    if len(velocities) == 0:
        return None
    speeds = np.linalg.norm(velocities, axis=1)
    atom = int(np.argmax(speeds))
    who = f"atom {atom} ({symbols[atom]})"
    if speeds[atom] > max_speed:
        return f"{who} moves at {speeds[atom]:.3g} Å/fs, more than max_speed={max_speed:.3g} Å/fs"
    if temperature > max_temperature:
        return (
            f"the temperature is {temperature:.0f} K, more than max_temperature="
            f"{max_temperature:.0f} K; {who} is the fastest, {speeds[atom]:.3g} Å/fs"
        )
    return None
