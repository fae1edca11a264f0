"""Forces as outputs against forces as gradients: which dynamics keeps its energy?

One atom in a cage of five neighbours, which stay where they are. Both networks see the
15 coordinates of the neighbours as seen from the atom, both learn the same energies and forces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from ase import units
from torch import Tensor, nn

from lennard_jones_parts.torch_networks import central, fit, layers

MASS = 39.95  # u
TIMESTEP = 10 * units.fs  # the atom swings once in 1.5 ps
TEMPERATURE = 20.0  # K
BOTTOM = 3.4 * 2 ** (1 / 6)  # Å, of the pair
HALF = 3**0.5 / 2
CAGE = BOTTOM * torch.tensor(  # a trigonal bipyramid
    [[0, 0, 1], [0, 0, -1], [1, 0, 0], [-0.5, HALF, 0], [-0.5, -HALF, 0]], dtype=torch.float64
)
Forces = Callable[[Tensor], tuple[Tensor, Tensor]]  # of (n, 5, 3) vectors: (n,) eV, (n, 3) eV/Å


@dataclass(frozen=True)
class Track:
    """A run of several atoms, each in its own cage.

    Attributes:
        time: (t,) ps.
        total: (t, n) kinetic plus the network's own potential energy, meV.
        kinetic: (t, n) meV.
    """

    time: Tensor
    total: Tensor
    kinetic: Tensor


def cages(count: int, seed: int) -> Tensor:
    """(n, 5, 3) neighbours, each moved a little."""
    generator = torch.Generator().manual_seed(seed)
    moved = torch.randn((count, 5, 3), generator=generator, dtype=torch.float64)
    return CAGE + 0.03 * moved


def sample(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors to the neighbours, energies (eV), forces (eV/Å)."""
    generator = torch.Generator().manual_seed(seed + 1000)
    atom = 0.3 * torch.randn((count, 1, 3), generator=generator, dtype=torch.float64)
    vectors = cages(count, seed) - atom
    return vectors, *central(vectors)


def learn(count: int, hidden: int, iterations: int) -> tuple[dict[str, Forces], dict[str, dict]]:
    """Both networks, and their errors on unseen cages (meV, meV/Å)."""
    vectors, energy, force = sample(count, seed=1)
    mean, scale = energy.mean(), energy.std()  # one scale for both: eV and eV per Å
    direct, gradient = layers(15, hidden, hidden, 4), layers(15, hidden, hidden, 1)

    def by_output(v: Tensor) -> tuple[Tensor, Tensor]:
        found = direct(_inputs(v))
        return found[:, 0] * scale + mean, found[:, 1:] * scale

    def by_gradient(v: Tensor) -> tuple[Tensor, Tensor]:
        learning = torch.is_grad_enabled()
        with torch.enable_grad():
            v = v.detach().requires_grad_()
            found = gradient(_inputs(v))[:, 0] * scale + mean
            (slope,) = torch.autograd.grad(found.sum(), v, create_graph=learning)
        return found, slope.sum(1)  # the atom moves one way, all vectors the other

    models = {"forces as outputs": by_output, "forces as gradient": by_gradient}
    networks: dict[str, nn.Module] = dict(zip(models, (direct, gradient), strict=True))
    unseen = sample(500, seed=2)
    errors = {}
    for name, model in models.items():

        def loss(model: Forces = model) -> Tensor:
            e, f = model(vectors)
            return (((e - energy) / scale) ** 2).mean() + (((f - force) / scale) ** 2).mean()

        fit(networks[name], loss, iterations)
        with torch.no_grad():
            e, f = model(unseen[0])
        errors[name] = {
            "energy RMSE / meV": 1000 * rms(e - unseen[1]),
            "force RMSE / meV/Å": 1000 * rms(f - unseen[2]),
        }
    return models, errors


@torch.no_grad()
def run(model: Forces, atoms: int, picoseconds: float) -> Track:
    """Velocity Verlet of independent atoms, all at once."""
    neighbors = cages(atoms, seed=3)
    x = torch.zeros((atoms, 3), dtype=torch.float64)
    generator = torch.Generator().manual_seed(4)
    width = (2 * units.kB * TEMPERATURE / MASS) ** 0.5  # half of it goes into the cage
    v = width * torch.randn((atoms, 3), generator=generator, dtype=torch.float64)
    steps = round(picoseconds * 1000 * units.fs / TIMESTEP)
    energy, force = model(neighbors - x[:, None])
    total, kinetic = [], []
    for _ in range(steps):
        v = v + 0.5 * TIMESTEP * force / MASS
        x = x + TIMESTEP * v
        energy, force = model(neighbors - x[:, None])
        v = v + 0.5 * TIMESTEP * force / MASS
        kinetic.append(1000 * 0.5 * MASS * (v**2).sum(1))
        total.append(kinetic[-1] + 1000 * energy.detach())
    time = (torch.arange(steps) + 1) * TIMESTEP / (1000 * units.fs)
    return Track(time, torch.stack(total), torch.stack(kinetic))


def changes(track: Track) -> Tensor:
    """(n,) how far each atom's total energy is off its first value in the end, meV.

    Means of the last tenth, lest it depends on the moment.
    """
    tail = len(track.time) // 10
    return (track.total[-tail:].mean(0) - track.total[0]).abs()


def rms(values: Tensor) -> float:
    """Root mean square."""
    return values.detach().pow(2).mean().sqrt().item()


def _inputs(vectors: Tensor) -> Tensor:
    return ((vectors - CAGE) / 0.3).flatten(1)
