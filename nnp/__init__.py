"""nnp: Behler-Parrinello neural network potentials in OpenMM and ASE."""

from nnp.committee import Committee, CommitteeEvaluation
from nnp.engines import Engine
from nnp.errors import NNPError
from nnp.evaluation import Evaluation, Extrapolation, Extrapolations
from nnp.io import load
from nnp.potential import ElementModel, Potential
from nnp.structure import Structure

__version__ = "0.1.0"

__all__ = [
    "Committee",
    "CommitteeEvaluation",
    "ElementModel",
    "Engine",
    "Evaluation",
    "Extrapolation",
    "Extrapolations",
    "NNPError",
    "Potential",
    "Structure",
    "__version__",
    "load",
]
