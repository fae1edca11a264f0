"""ænet's ``train.in``, with the ``generate.in`` of its data beside it, as settings of a run.

What ænet does in two programs is one run here: structures, set-ups and atomic energies come from
``generate.in`` (or from the training set that was made of it), the rest from ``train.in``. A
warning says what each of its methods becomes.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from nnp.errors import OptionError
from nnp.io.aenet.keywords import GenerateInput, TrainInput, read_train
from nnp.train.config.train_in_data import (
    are_cohesive,
    chosen_structures,
    generate_of,
    test_set,
)

_BATCH = 256  # of aenet-PyTorch
OUTPUT = "training"


def read_train_in(path: Path) -> dict[str, Any]:
    """The table, as of a TOML file, that a ``train.in`` means.

    Raises:
        FileFormatError: a file that is missing or broken.
        OptionError: a method that is unknown.
    """
    train = read_train(path)
    if not train.iterations:
        warnings.warn(f"{path}: ITERATIONS 0 becomes one epoch", stacklevel=2)
    generate = generate_of(train)
    cohesive = are_cohesive(generate)
    kept = chosen_structures(train, generate, cohesive)
    middle = (min(kept.values()) + max(kept.values())) / 2  # the network's energies are about 0
    energies = {s: (0.0 if cohesive else e) + middle for s, e in generate.energies.items()}
    for line in train.left_out:
        warnings.warn(f"{path}: left out is {line}", stacklevel=2)
    run = {"epochs": max(train.iterations, 1), "output": OUTPUT, "keep_every": 1}
    seeds = [seed for seed in (train.seed, train.split_seed) if seed is not None]
    if seeds:
        run["seed"] = seeds[0]
    data: dict[str, Any] = {
        "train": list(kept),
        "split": {"indices": test_set(train, generate, list(kept))},
        "reference_energies": energies,
        "energies": "total",  # all that is to be subtracted is in these
    }
    if train.forces and train.max_forces is not None:
        data["largest_force"] = train.max_forces
    return {
        "data": data,
        "functions": {"setups": generate.setups, "prune": {"method": "none"}},
        "inputs": {"scaling": "scale_sigma", "decorrelate": False},
        "network": _network(train, generate),
        "loss": {"energy": 1.0 - train.forces, "forces": train.forces},
        "optimizer": _optimizer(train),
        "run": run,
    }


def _network(train: TrainInput, generate: GenerateInput) -> dict[str, Any]:
    elements = {
        symbol: {
            "hidden": list(train.networks[symbol].hidden),
            "activations": [a.value for a in train.networks[symbol].activations],
        }
        for symbol in generate.energies
    }
    return {"initial": "inputs", "elements": elements}


def _optimizer(train: TrainInput) -> dict[str, Any]:
    """ænet's method as one of ours; a warning says which."""
    method, o = train.method, train.options
    rate = {"rate": o.get("alpha", o.get("mu", o.get("lr", 0.01)))}
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "bfgs": ("L-BFGS, one iteration an epoch", {"kind": "lbfgs", "lbfgs": {"iterations": 1}}),
        "lm": _levenberg_marquardt(o),
        "ekf": (
            "the Kalman filter with fading memory, forgetting = lambda",
            {
                "kind": "kalman",
                "kalman": {
                    "forgetting": o.get("lambda", 0.99),
                    "forgetting_rate": o.get("lambda0", 0.999),
                    "noise": 1.0,
                    "covariance": o.get("state", 1.0),
                },
            },
        ),
    }
    for name in ("online_gd", "online_sd"):
        gradient = rate | {"momentum": o.get("gamma", 0.9)}
        known[name] = ("gradient descent, momentum = gamma", {"kind": "sgd", "gradient": gradient})
    batch = train.batch or int(o.get("batchsize", _BATCH if "lr" in o else 1))
    betas = [o.get("b1", 0.9), o.get("b2", 0.999)]
    for name, ours in (("adam", "adam"), ("adamw", "adamw")):
        small = {"rate": o.get("mu", o.get("lr", 1e-3)), "betas": betas}
        small |= {"weight_decay": train.regularization} if train.regularization else {}
        known[name] = (
            f"{name}, {batch} structures a step",
            {"kind": ours, "batch": batch, "gradient": small},
        )
    if method not in known:
        raise OptionError(f"{train.path}: METHOD {method}: known are {', '.join(sorted(known))}")
    text, table = known[method]
    warnings.warn(f"{train.path}: METHOD {method} becomes {text}", stacklevel=2)
    return table


def _levenberg_marquardt(options: dict[str, float]) -> tuple[str, dict[str, Any]]:
    table: dict[str, Any] = {"damping": options.get("learnrate", 0.1)}
    text = "all structures at once"
    if "batchsize" in options:
        table["batch"] = int(options["batchsize"])
        text = f"{table['batch']} structures a step"
    if options.get("adjust", 0) > 1:
        table |= {"increase": options["adjust"], "decrease": 1 / options["adjust"]}
    return (
        f"Levenberg-Marquardt, {text}, damping = learnrate",
        {"kind": "levenberg_marquardt", "levenberg_marquardt": table},
    )
