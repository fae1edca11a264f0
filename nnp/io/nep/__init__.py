"""NEP potentials (GPUMD's ``nep.txt``): NEP3, NEP4 and NEP5 as they are, NEP4 written.

Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

from nnp.io.nep.file import is_nep_file
from nnp.io.nep.potential import read
from nnp.io.nep.write import nep_file, write

__all__ = ["is_nep_file", "nep_file", "read", "write"]
