"""What is measured: networks alone and whole potentials, by every program that runs here."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from ase.build import bulk

from nnp import Potential
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import UnavailableError
from nnp.functions import canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel
from nnp.reference.model import AtomicNetwork
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure, as_structure
from nnp.torchscript import PortableModel
from nnp.train.inputs.functions import (
    AngularSettings,
    RadialSettings,
    angular_functions,
    radial_functions,
)

ENGINES = {
    "CPU engine": ("cpu", {"threads": 1}),
    "CPU engine, float32": ("cpu", {"threads": 1, "dtype": "float32"}),
    "GPU engine": ("gpu", {}),
}
MANY = 1000  # atoms
WARM_UP = 3  # evaluations: TorchScript compiles in the first two
LONGEST = 2.0  # s of one evaluation: what takes longer is not tried with more atoms
WHOLE = (2, 24)  # layers and nodes of the whole potentials
CUTOFF = Cutoff(CutoffKind.COSINE, 5.0)


torch.set_num_threads(1)
warnings.filterwarnings("ignore", module="torch.jit")  # about its age, and attributes' types


def potential(layers: int, nodes: int, angular: bool = True) -> Potential:
    """Silicon's size, random weights: 12 radial functions and 16 angular ones."""
    functions: list[Any] = radial_functions(["Si"], RadialSettings(count=12), CUTOFF)
    if angular:
        functions += angular_functions(["Si"], AngularSettings((5.0, 2.0)), CUTOFF)
    n = len(functions)
    rng = np.random.default_rng(0)
    sizes = (n, *[nodes] * layers, 1)
    network = Network(
        tuple(rng.normal(0, a**-0.5, (a, b)) for a, b in pairwise(sizes)),
        tuple(rng.normal(0, 0.1, b) for b in sizes[1:]),
        (*[Activation.TANH] * layers, Activation.IDENTITY),
    )
    zeros, ones = np.zeros(n), np.ones(n)
    scaling = Scaling(zeros, ones, zeros, ones, ScalingMode.NONE)
    return Potential((ElementModel("Si", tuple(canonical_order(functions)), scaling, network),))


def lone_atoms(count: int) -> Structure:
    """Atoms that see nobody: all that is left of an evaluation is the network."""
    positions = 20.0 * np.stack(np.unravel_index(np.arange(count), (10, 10, 10)), axis=1)
    return Structure(positions, [14] * count, np.eye(3), False)


def network_alone(made: Potential, atoms: int) -> dict[str, Callable[[], Any]]:
    """Energy and gradient of the network, by name of who computes it."""
    eager = AtomicNetwork(made.models[0].network)
    inputs = torch.zeros((atoms, eager.weights[0].shape[0]), dtype=torch.float64)

    def by(module: Any) -> Callable[[], Any]:
        def evaluate() -> Any:
            x = inputs.requires_grad_()
            return torch.autograd.grad(module(x).sum(), x)

        return evaluate

    found = {"torch eager": by(eager), "TorchScript": by(torch.jit.script(eager))}
    return found | _engines(made, lone_atoms(atoms))


def whole(made: Potential, structure: Structure) -> dict[str, Callable[[], Any]]:
    """Energy and forces of a potential, by name of who computes it."""
    reference = made.make_engine("reference")
    elements = torch.zeros(len(structure), dtype=torch.int64)
    scripted = torch.jit.script(PortableModel(made, elements).eval())
    positions = torch.from_numpy(structure.positions.copy())
    cell = torch.from_numpy(structure.cell.copy())
    return {
        "torch eager": lambda: reference.compute(structure, True, False),
        "TorchScript": lambda: scripted(positions, cell, True),
        **_engines(made, structure),
    }


def _engines(made: Potential, structure: Structure) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for name in available():
        engine, options = ENGINES[name]
        warm = made.make_engine(engine, **options)
        found[name] = lambda warm=warm: warm.compute(structure, True, False)
    return found


@cache
def available() -> tuple[str, ...]:
    """The engines that run here."""
    found = []
    for name, (engine, options) in ENGINES.items():
        try:
            potential(1, 2).evaluate(lone_atoms(2), engine, **options)
        except UnavailableError as error:
            print(f"without {name}: {error}")
        else:
            found.append(name)
    return tuple(found)


def seconds(name: str, evaluate: Callable[[], Any], budget: float) -> float:
    """Of the fastest evaluation: processor time, wall time for a GPU."""
    clock = time.perf_counter if name.startswith("GPU") else time.process_time
    times: list[float] = []
    while len(times) < WARM_UP + 3 or (sum(times[WARM_UP:]) < budget and len(times) < 2000):
        begun = clock()
        evaluate()
        times.append(clock() - begun)
    return min(times[WARM_UP:])


def over_networks(full: bool, budget: float) -> list[dict[str, Any]]:
    """Microseconds per evaluation and atom, per architecture, number of atoms and program."""
    layers, nodes = ((1, 2, 3), (8, 128)) if full else ((2,), (8, 64))
    rows = []
    for depth in layers:
        for width in nodes:
            made = potential(depth, width, angular=False)
            for atoms in (1, MANY):
                row: dict[str, Any] = {"layers": depth, "nodes": width, "atoms": atoms}
                for name, evaluate in network_alone(made, atoms).items():
                    row[name] = 1e6 * seconds(name, evaluate, budget) / atoms
                rows.append(row)
    return rows


def over_atoms(full: bool, budget: float) -> list[dict[str, Any]]:
    """Microseconds per atom of whole potentials; none where it takes too long."""
    made = potential(*WHOLE)
    rows: list[dict[str, Any]] = []
    slow: set[str] = set()
    for repeat in (1, 2, 4) if full else (1, 2):
        structure = as_structure(bulk("Si", cubic=True) * (repeat, repeat, repeat))
        row: dict[str, Any] = {"atoms": len(structure)}
        for name, evaluate in whole(made, structure).items():
            if name not in slow:
                spent = seconds(name, evaluate, budget)
                row[name] = 1e6 * spent / len(structure)
                if 4.5 * spent > LONGEST:
                    slow.add(name)
        rows.append(row)
    return rows
