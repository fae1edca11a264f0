"""ænet's ``train.in``, with the ``generate.in`` of its data beside it, as settings of a run.

What ænet does in two programs is one run here: structures, set-ups and atomic energies come from
``generate.in``, the rest from ``train.in``. A warning says what each of its methods becomes.
"""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nnp.errors import FileFormatError, OptionError
from nnp.io.aenet.keywords import GenerateInput, TrainInput, read_generate, read_train
from nnp.io.structures import read

GENERATE = "generate.in"
OUTPUT = "training"


def read_train_in(path: Path) -> dict[str, Any]:
    """The table, as of a TOML file, that a ``train.in`` means.

    Raises:
        FileFormatError: a file that is missing or broken.
        OptionError: a method that is unknown.
    """
    train = read_train(path)
    generate = _generate(train)
    cohesive = are_cohesive(generate)
    kept = _kept(train, _cohesive_energies(generate, cohesive))
    middle = (min(kept.values()) + max(kept.values())) / 2  # the network's energies are about 0
    energies = {s: (0.0 if cohesive else e) + middle for s, e in generate.energies.items()}
    for line in train.left_out:
        warnings.warn(f"{path}: left out is {line}", stacklevel=2)
    return {
        "data": {
            "train": list(kept),
            "split": {"indices": _test_set(train, len(kept))},
            "reference_energies": energies,
        },
        "functions": {"setups": generate.setups, "prune": {"method": "none"}},
        "inputs": {"scaling": "scale_sigma", "decorrelate": False},
        "network": _network(train, generate),
        "loss": {"energy": 1.0 - train.forces, "forces": train.forces},
        "optimizer": _optimizer(train),
        "run": {"epochs": max(train.iterations, 1), "output": OUTPUT, "keep_every": 1},
    }


def _generate(train: TrainInput) -> GenerateInput:
    path = train.path.parent / GENERATE
    if not path.is_file():
        raise FileFormatError(
            f"{path} is missing: it names the structures and set-ups of {train.training_set}, "
            "which itself holds no cells"
        )
    generate = read_generate(path)
    if Path(generate.output).name != Path(train.training_set).name:
        raise FileFormatError(
            f"{path} makes {generate.output}, but {train.path} trains on {train.training_set}"
        )
    if missing := [s for s in generate.energies if s not in train.networks]:
        raise FileFormatError(f"{train.path}: no network for {', '.join(missing)}")
    return generate


def are_cohesive(generate: GenerateInput) -> bool:
    """Whether the structures' labels are cohesive energies; total ones if not.

    Raises:
        FileFormatError: some are and some are not.
    """
    kinds = {name: _cohesive(generate.path.parent / name) for name in generate.files}
    if len(set(kinds.values())) > 1:
        one = next(name for name, cohesive in kinds.items() if cohesive)
        raise FileFormatError(
            f"{generate.path}: {one} has a cohesive energy, others have total ones: one of both is "
            "wanted"
        )
    return next(iter(kinds.values()))


def _cohesive(path: Path) -> bool:
    """Whether a file says a cohesive energy, as ænet takes it, and no total one."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    return "cohesive energy" in text and not re.search(r"total energy\s*=", text)


def _cohesive_energies(generate: GenerateInput, cohesive: bool) -> dict[str, float]:
    """Of every file that has an energy, eV per atom."""
    found = {}
    for name in generate.files:
        reading = read(generate.path.parent / name)
        atoms, energy = reading.frames[0], reading.labels[0].energy
        if energy is None:
            raise FileFormatError(f"{generate.path.parent / name} has no energy, which ænet wants")
        if not cohesive:
            energy -= sum(generate.energies.get(symbol, 0.0) for symbol in atoms.symbols)
        found[name] = energy / len(atoms)
    return found


def _kept(train: TrainInput, energies: dict[str, float]) -> dict[str, float]:
    """Those not above MAXENERGY."""
    limit = math.inf if train.max_energy is None else train.max_energy
    kept = {name: energy for name, energy in energies.items() if energy <= limit}
    if not kept:
        raise OptionError(f"{train.path}: MAXENERGY {train.max_energy} leaves no structure")
    return kept


def _test_set(train: TrainInput, count: int) -> list[int]:
    """As many as ænet draws, though others: floor(p N)."""
    share = train.test_percent / 100
    if not 0 <= share < 1:
        raise OptionError(f"{train.path}: TESTPERCENT {train.test_percent}: 0 to below 100")
    n_test = count - math.ceil((1 - share) * count - 1e-9)
    return sorted(int(k) for k in np.random.default_rng(0).permutation(count)[:n_test])


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
        "lm": (
            "Levenberg-Marquardt on all structures at once, damping = learnrate",
            {
                "kind": "levenberg_marquardt",
                "levenberg_marquardt": {"damping": o.get("learnrate", 0.1)},
            },
        ),
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
    betas = [o.get("b1", 0.9), o.get("b2", 0.999)]
    for name, ours in (("adam", "adam"), ("adamw", "adamw")):
        small = {"rate": o.get("mu", o.get("lr", 1e-3)), "betas": betas}
        known[name] = (
            f"{name}, {int(o.get('batchsize', 1))} structures a step",
            {"kind": ours, "batch": int(o.get("batchsize", 1)), "gradient": small},
        )
    if method not in known:
        raise OptionError(f"{train.path}: METHOD {method}: known are {', '.join(sorted(known))}")
    text, table = known[method]
    warnings.warn(f"{train.path}: METHOD {method} becomes {text}", stacklevel=2)
    return table
