"""A potential with the physics of a soft metal, small enough to integrate for long in a test.

Two radial functions and a linear network: E = Σ_i Σ_j [A e^{−r²} − B e^{−(r − r_0)²}] f_c(r), a
repulsive core and a well. The face-centred cubic crystal is stable well above room temperature.
"""

from __future__ import annotations

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.functions import Radial, canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode

CORE_EV = 30.0  # A
WELL_EV = 0.2  # B
WELL_POSITION = 2.8  # r_0, Å
LATTICE_CONSTANT = 3.717  # Å, of the fcc crystal without stress


def pair_potential() -> Potential:
    """The potential, for silicon atoms."""
    cutoff = Cutoff(CutoffKind.POLY2, 4.5)
    core, well = Radial("Si", 1.0, 0.0, cutoff), Radial("Si", 1.0, WELL_POSITION, cutoff)
    functions = canonical_order([core, well])
    weights = np.array([[CORE_EV if function == core else -WELL_EV] for function in functions])
    # Ranges of a warm crystal: what lies outside counts as extrapolation.
    ranges = {core: (0.0, 0.03), well: (3.0, 5.0)}
    minimum, maximum = np.array([ranges[f] for f in functions]).T
    scaling = Scaling(minimum, maximum, minimum, maximum - minimum, ScalingMode.NONE)
    network = Network((weights,), (np.zeros(1),), (Activation.IDENTITY,))
    return Potential((ElementModel("Si", tuple(functions), scaling, network),))
