"""Make the silicon potential that ships with nnp: a network that learns Stillinger-Weber silicon.

    python examples/train_silicon/train.py --output silicon_sw.nnp

samples the frames (`sample.py`), computes their symmetry functions (`features.py`), fits energies
and forces (`fit.py`), and measures the errors on frames of other runs with other seeds. Recipe and
errors go into the model file. Six minutes of one core's time.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from features import Features, compute_features
from fit import ENERGY_WEIGHT, RIDGE, Perceptron, Standardisation, minimise, root_mean_squares
from sample import TEST, TRAINING, sample
from tqdm import tqdm

from nnp import ElementModel, Potential
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.networks import Activation, Network
from nnp.scaling import Scaling, ScalingMode
from nnp.symmetry_functions import Angular, Radial, SymmetryFunction, canonical_order
from nnp.teachers.stillinger_weber import SILICON

HIDDEN = (20, 20)
TRAINING_SEED, TEST_SEED, WEIGHT_SEED = 1, 2, 3


def functions() -> list[SymmetryFunction]:
    """Eight radial and nine wide angular functions that end just behind the teacher (3.77 Å).

    The teacher's three-body term is a polynomial of second degree in cos θ: λ = ±1 with ζ = 1 and
    λ = 1 with ζ = 2 span those.
    """
    cutoff = Cutoff(CutoffKind.POLY3, 3.8)
    centres = np.linspace(1.8, 3.4, 8)
    eta = 0.5 / (0.9 * (centres[1] - centres[0])) ** 2
    radial = [Radial("Si", float(eta), float(r_shift), cutoff) for r_shift in centres]
    angular = [
        Angular(("Si", "Si"), eta, lambda_, zeta, 0.0, cutoff, narrow=False)
        for eta in (0.0, 0.1, 0.3)
        for lambda_, zeta in ((1.0, 1.0), (-1.0, 1.0), (1.0, 2.0))
    ]
    return canonical_order([*radial, *angular])


def potential(network: Perceptron, standardisation: Standardisation, raw: Features) -> Potential:
    """The fitted network with its scaling; the decorrelation goes into the first layer."""
    weights = [weight.detach() for weight in network.weights]
    weights[0] = standardisation.decorrelation @ weights[0]
    scaling = Scaling(
        minimum=raw.G.amin(0).numpy(),
        maximum=raw.G.amax(0).numpy(),
        mean=standardisation.mean.numpy(),
        sigma=standardisation.sigma.numpy(),
        mode=ScalingMode.SCALE_SIGMA,
    )
    layers = Network(
        weights=tuple(weight.numpy() for weight in weights),
        biases=tuple(bias.detach().numpy() for bias in network.biases),
        activations=(Activation.TANH, Activation.TANH, Activation.IDENTITY),
    )
    offset = standardisation.energy_offset
    return Potential((ElementModel("Si", tuple(functions()), scaling, layers, offset),))


def test_errors(fitted: Potential) -> dict[str, dict[str, float]]:
    """Root-mean-square errors on fresh runs, as a user meets them: through `Potential.evaluate`."""
    groups = sample(TEST, TEST_SEED, "test data")
    errors = {}
    for name, frames in tqdm(groups.items(), desc="test", unit="group"):
        results = fitted.evaluate(frames)
        energy = [
            (result.energy - frame.get_potential_energy()) / len(frame)
            for result, frame in zip(results, frames, strict=True)
        ]
        force = [
            result.forces - frame.get_forces()
            for result, frame in zip(results, frames, strict=True)
        ]
        errors[name] = table_row(
            1000 * root_mean_square(np.array(energy)), root_mean_square(np.concatenate(force))
        )
    return errors


def root_mean_square(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def table_row(energy_mev: float, force: float) -> dict[str, float]:
    """Root-mean-square errors, rounded to what is known of them."""
    return {
        "energy_rmse_mev_per_atom": round(energy_mev, 3),
        "force_rmse_ev_per_angstrom": round(force, 4),
    }


def provenance(iterations: int, errors: dict[str, dict[str, float]]) -> dict[str, object]:
    """Everything one needs to make the file again, and how good it is."""
    return {
        "description": "silicon: a network fitted to the Stillinger-Weber potential",
        "teacher": {"doi": "10.1103/PhysRevB.31.5262", **asdict(SILICON)},
        "script": "examples/train_silicon/train.py",
        "seeds": {"training": TRAINING_SEED, "test": TEST_SEED, "weights": WEIGHT_SEED},
        "training_data": [asdict(group) for group in TRAINING],
        "test_data": [asdict(group) for group in TEST],
        "optimiser": {
            "name": "full-batch L-BFGS",
            "iterations": iterations,
            "energy_weight": ENERGY_WEIGHT,
            "ridge": RIDGE,
        },
        "errors": errors,
        "libraries": {"numpy": np.__version__, "torch": torch.__version__},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("silicon_sw.nnp"))
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # one order of summation: the same seeds give the same potential
    frames = sample(TRAINING, TRAINING_SEED, "training data")
    raw = compute_features([frame for group in frames.values() for frame in group], functions())
    standardisation = Standardisation.of(raw)
    network = Perceptron((raw.G.shape[1], *HIDDEN), WEIGHT_SEED)
    seen = standardisation.apply(raw)
    minimise(network, seen, arguments.iterations)
    fitted = potential(network, standardisation, raw)
    errors = {"training": table_row(*root_mean_squares(network, seen)), **test_errors(fitted)}
    print(json.dumps(errors, indent=1))
    final = replace(fitted, provenance=provenance(arguments.iterations, errors))
    final.save(arguments.output, force=arguments.force)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
