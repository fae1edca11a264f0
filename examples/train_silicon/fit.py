"""Fit a network to energies and forces: full-batch L-BFGS in float64 on decorrelated inputs.

Symmetry functions of one element resemble each other: the covariance of ours has eigenvalues from
10 down to 1e-7, and an optimiser creeps along the weak directions. So the fit sees
z = (G - mean) / sigma @ T, T = V (lambda + RIDGE)^(-1/2), where V and lambda are eigenvectors and
eigenvalues of the correlation matrix: inputs of unit variance without correlation. T is linear,
so at the end it goes into the first layer's weights and nothing of it remains in the potential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from features import Features
from torch import Tensor
from tqdm import tqdm

RIDGE = 1e-4  # directions with less variance than this are left small: they are noise
ENERGY_WEIGHT = 100.0  # Å²; 1 meV/atom weighs as much as 10 meV/Å
ITERATIONS_PER_STEP = 25


@dataclass(frozen=True)
class Standardisation:
    """How the fit sees functions and energies.

    Attributes:
        mean, sigma: (s,) of the functions over the training data.
        decorrelation: (s, s) the matrix T above.
        energy_offset: mean energy per atom, eV.
    """

    mean: Tensor
    sigma: Tensor
    decorrelation: Tensor
    energy_offset: float

    @classmethod
    def of(cls, features: Features) -> Standardisation:
        """From raw training data."""
        G = features.G
        eigenvalues, vectors = torch.linalg.eigh(torch.corrcoef(G.T))
        return cls(
            mean=G.mean(0),
            sigma=G.std(0),
            decorrelation=vectors / torch.sqrt(eigenvalues + RIDGE),
            energy_offset=(features.energies.sum() / features.sizes.sum()).item(),
        )

    def apply(self, features: Features) -> Features:
        """Raw features as the fit sees them."""
        seen = features.transformed(self.mean, self.decorrelation / self.sigma[:, None])
        return replace(seen, energies=features.energies - self.energy_offset * features.sizes)


class Perceptron:
    """Two hidden layers of tanh and a linear output.

    Args:
        sizes: inputs, first and second hidden layer.
        seed: of the initial weights.
    """

    def __init__(self, sizes: tuple[int, int, int], seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        options = {"generator": generator, "dtype": torch.float64}
        shapes = list(zip(sizes, (*sizes[1:], 1), strict=True))
        self.weights = [torch.randn(shape, **options) / shape[0] ** 0.5 for shape in shapes]
        self.biases = [0.1 * torch.randn(shape[1], **options) for shape in shapes]
        for parameter in self.parameters:
            parameter.requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """All that is fitted."""
        return [*self.weights, *self.biases]

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) energies and (n, s) their derivatives by the inputs."""
        w_1, w_2, w_3 = self.weights
        h_1 = torch.tanh(x @ w_1 + self.biases[0])
        h_2 = torch.tanh(h_1 @ w_2 + self.biases[1])
        energy = (h_2 @ w_3 + self.biases[2]).squeeze(1)
        back_2 = (1 - h_2**2) * w_3.T
        back_1 = (1 - h_1**2) * (back_2 @ w_2.T)
        return energy, back_1 @ w_1.T


def predict(network: Perceptron, features: Features) -> tuple[Tensor, Tensor]:
    """(frames,) energies (eV) and (n, 3) forces (eV/Å)."""
    energy, dE_dG = network(features.G)
    energies = torch.zeros_like(features.energies).index_add(0, features.frame, energy)
    dE_dr = torch.bmm(dE_dG[features.i].unsqueeze(1), features.dG_dr).squeeze(1)
    forces = torch.zeros_like(features.forces).index_add(0, features.i, dE_dr)
    return energies, forces.index_add(0, features.j, dE_dr, alpha=-1)


def residuals(network: Perceptron, features: Features) -> tuple[Tensor, Tensor]:
    """Errors of the energies, (frames,) in eV/atom, and of the forces, (n, 3) in eV/Å."""
    energies, forces = predict(network, features)
    return (energies - features.energies) / features.sizes, forces - features.forces


def loss(network: Perceptron, features: Features) -> Tensor:
    """Weighted mean squared error (eV²/Å²)."""
    energy, force = residuals(network, features)
    return ENERGY_WEIGHT * energy.pow(2).mean() + force.pow(2).mean()


def root_mean_squares(network: Perceptron, features: Features) -> tuple[float, float]:
    """Root-mean-square errors: energy in meV/atom, force component in eV/Å."""
    with torch.no_grad():
        energy, force = residuals(network, features)
    return 1000 * energy.pow(2).mean().sqrt().item(), force.pow(2).mean().sqrt().item()


def minimise(network: Perceptron, features: Features, iterations: int) -> None:
    """Fit the network's weights in place; shows the training errors as it goes."""
    optimiser = torch.optim.LBFGS(
        network.parameters,
        max_iter=ITERATIONS_PER_STEP,
        history_size=100,
        line_search_fn="strong_wolfe",
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )
    closure = _closure(network, features, optimiser)
    with tqdm(total=iterations, desc="fit", unit="iteration") as bar:
        for _ in range(0, iterations, ITERATIONS_PER_STEP):
            optimiser.step(closure)
            energy, force = root_mean_squares(network, features)
            bar.set_postfix_str(f"{energy:.2f} meV/atom, {force:.4f} eV/Å")
            bar.update(ITERATIONS_PER_STEP)


def _closure(
    network: Perceptron, features: Features, optimiser: torch.optim.Optimizer
) -> Callable[[], Tensor]:
    def evaluate() -> Tensor:
        optimiser.zero_grad()
        value = loss(network, features)
        value.backward()
        return value

    return evaluate
