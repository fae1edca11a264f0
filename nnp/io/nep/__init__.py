"""NEP potentials (GPUMD's ``nep.txt``): NEP3, NEP4 and NEP5, as they are.

Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

from nnp.io.nep.header import is_nep
from nnp.io.nep.potential import read

__all__ = ["is_nep", "read"]
