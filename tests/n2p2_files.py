"""Small potentials as n2p2's files, and when two potentials count as the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

import nnp
from nnp.functions import canonical_order
from nnp.networks import Network
from nnp.testing import FAMILIES, random_potential

# Parameters are written with fifteen digits (5e-15 behind a leading 1) and pass through a unit.
PARAMETER_RTOL = 6e-15
N2P2_FAMILIES = tuple(family for family in FAMILIES if family != "radial_cosine")
N2P2_LETTERS = "ltsprgcSeh"

# One element, one neuron: G1, the cosine cutoff and a linear network give E = w G + b.
TINY_INPUT = """\
number_of_elements 1
elements Si
global_hidden_layers_short 1
global_nodes_short 1
global_activation_short l l
symfunction_short Si 1 Si 6.0
"""
TINY_SCALING = "1 1 0.0 2.0 0.5 0.25\n"
TINY_WEIGHTS = "2.0\n0.25\n3.0\n0.5\n"


def write_tiny(folder, settings=TINY_INPUT, scaling=TINY_SCALING, weights=TINY_WEIGHTS):
    folder.mkdir(exist_ok=True)
    (folder / "input.nn").write_text(settings, encoding="utf-8")
    (folder / "scaling.data").write_text(scaling, encoding="utf-8")
    (folder / "weights.014.data").write_text(weights, encoding="utf-8")
    return folder


def load_tiny(folder, *lines, drop=(), **files):
    """The tiny potential with lines added to, and keywords dropped from, its ``input.nn``."""
    kept = [line for line in TINY_INPUT.splitlines() if line.split()[0] not in drop]
    return nnp.load(write_tiny(folder, "\n".join([*kept, *lines]) + "\n", **files), units="metal")


def numbers_of(function):
    values = dict(vars(function))
    cutoff = values.pop("cutoff", None)
    if cutoff is not None:
        values |= {"cutoff_kind": cutoff.kind, "r_c": cutoff.radius, "alpha": cutoff.inner_fraction}
    exact = {k: v for k, v in values.items() if not isinstance(v, float)}
    return exact, np.array([v for v in values.values() if isinstance(v, float)])


def assert_same_potential(got, wanted):
    assert got.elements == wanted.elements
    np.testing.assert_allclose(got.energy_scale, wanted.energy_scale, rtol=PARAMETER_RTOL)
    for mine, its in zip(got.models, wanted.models, strict=True):
        for ours, theirs in zip(mine.functions, its.functions, strict=True):
            assert type(ours) is type(theirs)
            assert numbers_of(ours)[0] == numbers_of(theirs)[0]
            np.testing.assert_allclose(
                numbers_of(ours)[1], numbers_of(theirs)[1], rtol=PARAMETER_RTOL
            )
        np.testing.assert_allclose(mine.energy_offset, its.energy_offset, rtol=PARAMETER_RTOL)
        for name in ("minimum", "maximum", "mean", "sigma"):
            np.testing.assert_array_equal(getattr(mine.scaling, name), getattr(its.scaling, name))
        for name in ("mode", "target_min", "target_max"):
            assert getattr(mine.scaling, name) == getattr(its.scaling, name)
        assert mine.network.activations == its.network.activations
        for name in ("weights", "biases"):
            pairs = zip(getattr(mine.network, name), getattr(its.network, name), strict=True)
            for ours, theirs in pairs:
                np.testing.assert_array_equal(ours, theirs)


def small_potential(elements=("Si",), seed=3, **options):
    options = {"families": ("radial", "angular_narrow"), **options}
    return one_cutoff(random_potential(elements, seed, **options))


def one_cutoff(potential, inner_fraction=0.3):
    """n2p2 knows one inner fraction for all functions."""
    models = []
    for model in potential.models:
        functions = [
            replace(f, cutoff=replace(f.cutoff, inner_fraction=inner_fraction))
            if hasattr(f, "cutoff")
            else f
            for f in model.functions
        ]
        models.append(replace(model, functions=tuple(canonical_order(functions))))
    return replace(potential, models=tuple(models))


def with_networks(potential, networks):
    models = [
        replace(model, network=network)
        for model, network in zip(potential.models, networks, strict=True)
    ]
    return replace(potential, models=tuple(models))


def random_network(n_inputs, hidden, activations, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [n_inputs, *hidden, 1]
    return Network(
        tuple(rng.normal(size=(a, b)) for a, b in pairwise(sizes)),
        tuple(rng.normal(size=b) for b in sizes[1:]),
        tuple(activations),
    )
