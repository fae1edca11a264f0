"""Twenty neighbours at once: distances as inputs against radial functions as inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from lennard_jones_parts.torch_networks import central, fit, layers
from nnp.functions.torch_formulas import cutoff_function

NEIGHBORS, NEAREST, FARTHEST = 20, 3.3, 7.0
CUTOFF = 8.5
CENTRES = torch.linspace(3.0, 8.0, 12, dtype=torch.float64)
WIDTH = 0.6  # Å
COSINE = 1  # of nnp.cutoffs.CutoffKind


def sample(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """(n, 20) distances in random order, Å, and (n,) energies of the central atom, eV."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, NEIGHBORS)
    r = NEAREST + (FARTHEST - NEAREST) * torch.rand(shape, generator=generator, dtype=torch.float64)
    directions = torch.randn((*shape, 3), generator=generator, dtype=torch.float64)
    vectors = r[..., None] * directions / directions.norm(dim=2, keepdim=True)
    return r, central(vectors)[0]


def as_they_come(r: Tensor) -> Tensor:
    """The distances, in the order in which they happen to be listed."""
    return (r - (NEAREST + FARTHEST) / 2) / 1.1


def in_order(r: Tensor) -> Tensor:
    """Sorted: the order of the neighbours cannot matter any more, but the inputs have kinks."""
    return as_they_come(r.sort(dim=1).values)


def radial_functions(r: Tensor) -> Tensor:
    """Behler and Parrinello's: sums over the neighbours, so neither order nor number matters."""
    decay = torch.exp(-(((r[..., None] - CENTRES) / WIDTH) ** 2) / 2)
    return (decay * cutoff_function(r, COSINE, CUTOFF, 0.0)[..., None]).sum(1) - 1


INPUTS = {
    "20 distances": as_they_come,
    "20 distances, sorted": in_order,
    "12 radial functions": radial_functions,
}


def learning_curves(
    counts: list[int], hidden: int, iterations: int
) -> tuple[dict[str, list[float]], float]:
    """RMS error (meV) on unseen sets of neighbours, per kind of input and number of samples.

    Returns:
        the errors, and the standard deviation of the energies (meV).
    """
    r, energy = sample(max(counts), seed=1)
    unseen_r, unseen = sample(1000, seed=2)
    errors: dict[str, list[float]] = {}
    mean, spread = energy.mean(), energy.std()
    for name, inputs in INPUTS.items():
        errors[name] = []
        for count in counts:
            x, y = inputs(r[:count]), (energy[:count] - mean) / spread
            network = layers(x.shape[1], hidden, hidden, 1)
            fit(network, lambda n=network, x=x, y=y: ((n(x)[:, 0] - y) ** 2).mean(), iterations)
            with torch.no_grad():
                found = network(inputs(unseen_r))[:, 0] * spread + mean
            errors[name].append(1000 * float((found - unseen).pow(2).mean().sqrt()))
    return errors, 1000 * float(unseen.std())
