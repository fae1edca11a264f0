"""What a potential says of a crystal: energy over volume, elastic constants, phonons.

- `crystal`: the structure at rest, by `nnp.md.relax`
- `energy_volume`, `elastic`, `phonons`: one each
- `all_of_it`: everything, as an `Analysis`
"""

from nnp.analysis.eos.all_of_it import EosSettings, equation_of_state
from nnp.analysis.eos.elastic import ElasticConstants, elastic_constants
from nnp.analysis.eos.energy_volume import EnergyVolume, energy_volume
from nnp.analysis.eos.phonons import Phonons, phonons

__all__ = [
    "ElasticConstants",
    "EnergyVolume",
    "EosSettings",
    "Phonons",
    "elastic_constants",
    "energy_volume",
    "equation_of_state",
    "phonons",
]
