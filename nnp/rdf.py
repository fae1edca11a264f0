"""Radial distribution functions: `nnp.analysis.rdf` under its old name."""

from nnp.analysis.rdf import RadialDistribution, radial_distribution

__all__ = ["RadialDistribution", "radial_distribution"]
