"""n2p2's and RuNNer's ``input.nn`` as settings of a training run.

docs/training_settings.md says which setting a keyword becomes. A keyword without meaning here gives
a warning with the reason, an unknown one is an error. The filter sees residuals in the units that
n2p2 would give it (those of the files, or normalised ones), so that its constants mean the same.
"""

from __future__ import annotations

import difflib
import re
import warnings
from pathlib import Path
from typing import Any

from nnp.errors import FileFormatError, OptionError
from nnp.io.n2p2.keywords import IGNORED, READ, SHORT_RANGE_TYPES, UNSUPPORTED
from nnp.io.n2p2.networks import read_architecture
from nnp.io.n2p2.scaling import read_mode
from nnp.io.n2p2.settings import Entry, Settings, read_elements, read_words
from nnp.networks import Activation
from nnp.train.config.input_nn_notes import why_ignored
from nnp.train.config.normalisation import normalisation
from nnp.units import ATOMIC, unit_system

DATA = "input.data"
OUTPUT = "training"

# Keyword of one number, and where it goes.
_NUMBERS = {
    "epochs": ("run", "epochs"),
    "random_seed": ("run", "seed"),
    "write_weights_epoch": ("run", "checkpoint_every"),
    "gradient_eta": ("optimizer", "gradient", "rate"),
    "steepest_descent_step_energy_short": ("optimizer", "gradient", "rate"),
}
_WHOLE = {"epochs", "random_seed", "write_weights_epoch"}
# Read by the functions below, so no warning.
_MAPPED = {
    *_NUMBERS,
    *"""test_fraction use_short_forces force_weight short_force_fraction updater_type gradient_type
    gradient_adam_eta gradient_adam_beta1 gradient_adam_beta2 optmode_short_energy kalman_type
    kalman_epsilon kalman_q0 kalman_qtau kalman_qmin kalman_eta kalman_etatau kalman_etamax
    kalman_lambda_short kalman_nue_short selection_mode short_force_error_threshold weights_min
    weights_max nguyen_widrow_weights_short task_batch_size_energy normalize_data_set""".split(),
}


def read_input_nn(path: Path, units: str | None = None) -> dict[str, Any]:
    """The table, as of a TOML file, that an ``input.nn`` with ``input.data`` beside it means.

    Args:
        path: the file.
        units: of both files, see `nnp.units.unit_system`; bohr and hartree when None.

    Raises:
        FileFormatError: a file that is missing or broken.
        OptionError: an unknown keyword (names the nearest known one), or an optimiser or network
            that cannot be trained here.
    """
    _require_known(path)
    settings = Settings(path)
    data = path.parent / DATA
    if not data.is_file():
        raise FileFormatError(f"{data} is missing: it holds what {path.name} is to be trained on")
    table: dict[str, Any] = {
        "data": {"train": [DATA], "split": {}},
        "functions": {"file": path.name, "prune": {"method": "none"}},
        "inputs": _inputs(settings),
        "network": _network(settings),
        "optimizer": {"gradient": {}},
        "run": {"output": OUTPUT},
    }
    if units is not None:
        table["data"]["units"] = table["functions"]["file_units"] = units
    system = unit_system(units) or ATOMIC
    offsets = {e.arguments[0]: e.number(1) * system.energy_in_ev for e in _pairs(settings)}
    _plain_numbers(settings, table)
    norm = normalisation(settings, data, system, offsets, table)
    table["data"]["energies"] = "total"
    table["data"]["reference_energies"] = {s: e + norm.mean_energy for s, e in offsets.items()}
    sizes = _Sizes(data)
    forces = settings.flag("use_short_forces")
    candidates = sizes.candidates(settings.number("short_force_fraction", 1.0))
    beta = settings.number("force_weight", 1.0)
    table["loss"] = {
        # whole structures' energies, and β times forces; the mean over the force components of a
        # step becomes a sum, so that each weighs as one update
        "energy": (sizes.mean_atoms * norm.energy) ** 2,
        "forces": (candidates if forces else 0) * (beta * norm.force) ** 2,
    }
    _optimizer(settings, table, candidates)
    _explain_the_rest(settings)
    return table


class _Sizes:
    """How many structures and atoms an input.data holds."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        self.structures = max(len(re.findall(r"^\s*begin\b", text, re.MULTILINE)), 1)
        self.atoms = len(re.findall(r"^\s*atom\b", text, re.MULTILINE))

    @property
    def mean_atoms(self) -> float:
        return self.atoms / self.structures

    def candidates(self, fraction: float) -> int:
        """Force components per structure when an epoch uses this share of all."""
        return max(1, round(fraction * 3 * self.mean_atoms))


def _require_known(path: Path) -> None:
    known = READ | IGNORED | set(UNSUPPORTED) | set(SHORT_RANGE_TYPES) | _MAPPED
    for line, words in read_words(path):
        if words[0] not in known:
            close = difflib.get_close_matches(words[0], sorted(known), n=1, cutoff=0.6)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else "neither n2p2 nor RuNNer has such a keyword"
            )
            raise OptionError(f"{path}, line {line}: the keyword {words[0]!r} is unknown: {hint}")


def _pairs(settings: Settings) -> list[Entry]:
    entries = settings.all("atom_energy")
    for entry in entries:
        entry.expect(2)
    return entries


def _inputs(settings: Settings) -> dict[str, Any]:
    mode, low, high = read_mode(settings)
    return {"scaling": mode.value, "target_min": low, "target_max": high, "decorrelate": False}


def _network(settings: Settings) -> dict[str, Any]:
    """Architecture of every element, and how weights are drawn."""
    elements = read_elements(settings)
    if settings.flag("normalize_nodes"):
        raise OptionError(
            f"{settings.path}: normalize_nodes is not trained here; take it out: it only changes "
            "the size of the weights"
        )
    tables = {}
    for symbol in elements:
        found = read_architecture(settings, symbol)
        inner, output = set(found.activations[:-1]), found.activations[-1]
        if output is not Activation.IDENTITY or len(inner) > 1:
            letters = " ".join(a.value for a in found.activations)
            raise OptionError(
                f"{settings.path}: the network of {symbol} has the activations {letters}: one for "
                "all hidden layers and l for the output can be trained"
            )
        activation = next(iter(inner), Activation.TANH).value
        tables[symbol] = {"hidden": list(found.hidden), "activation": activation}
    spread = settings.flag("nguyen_widrow_weights_short")
    return {
        **tables[elements[0]],
        "elements": tables,
        "initial": "nguyen_widrow" if spread else "uniform",
        "weight_range": [settings.number("weights_min", -1.0), settings.number("weights_max", 1.0)],
    }


def _plain_numbers(settings: Settings, table: dict[str, Any]) -> None:
    for keyword, (*tables, name) in _NUMBERS.items():
        entry = settings.one(keyword)
        if entry is None:
            continue
        entry.expect(1)
        target = table
        for inner in tables:
            target = target.setdefault(inner, {})
        target[name] = entry.integer(0) if keyword in _WHOLE else entry.number(0)
    table["run"]["seed"] = abs(table["run"].get("seed", 0))
    table["data"]["split"] = {
        "fraction": settings.number("test_fraction", 0.0),
        "seed": table["run"]["seed"],
    }


def _optimizer(settings: Settings, table: dict[str, Any], candidates: int) -> None:
    optimizer = table["optimizer"]
    batch = settings.one("task_batch_size_energy")
    whole = batch is not None and batch.integer(0) == 0
    if batch is not None and not whole:
        optimizer["batch"] = batch.integer(0)
    optimizer["kind"] = kind = _kind(settings)
    if kind == "kalman":
        optimizer["kalman"] = _kalman(settings, candidates)
    elif kind == "adam":
        pairs = (("gradient_adam_beta1", 0.9), ("gradient_adam_beta2", 0.999))
        betas = [settings.number(name, default) for name, default in pairs]
        rate = settings.number("gradient_adam_eta", 1e-3)
        optimizer["gradient"] = {"rate": rate, "betas": betas}
    elif kind == "sgd":
        optimizer["gradient"]["momentum"] = 0.0
    if whole and kind != "levenberg_marquardt":
        optimizer["batch"] = _Sizes(settings.path.parent / DATA).structures


def _kind(settings: Settings) -> str:
    """The optimiser: n2p2's updater_type, else RuNNer's optmode_short_energy, else the filter."""
    keyword = "updater_type" if settings.one("updater_type") else "optmode_short_energy"
    entry = settings.one(keyword)
    if entry is None:
        return "kalman"
    entry.expect(1)
    kinds = _UPDATERS[keyword]
    number = entry.integer(0)
    if number not in kinds:
        allowed = ", ".join(f"{n} ({name})" for n, name in kinds.items())
        raise OptionError(f"{entry.where}: {keyword} {number} has no equivalent here: {allowed}")
    if kinds[number] == "sgd" and settings.number("gradient_type", 0) == 1:
        return "adam"
    return kinds[number]


_UPDATERS = {
    "updater_type": {0: "sgd", 1: "kalman", 2: "levenberg_marquardt"},
    "optmode_short_energy": {1: "kalman", 3: "sgd"},
}


def _kalman(settings: Settings, candidates: int) -> dict[str, Any]:
    """The filter's constants; what is not said is as in n2p2's examples."""
    number = settings.number
    entry = settings.one("kalman_type")
    fading = settings.one("kalman_lambda_short") is not None  # RuNNer's filter always does
    if entry is not None:
        fading = entry.integer(0) == 1
    table: dict[str, Any] = {
        "fading": fading,
        "covariance": 1 / _positive(settings, "kalman_epsilon", 0.01),
        "candidates": candidates,
        "penalty": 0.0,
        "average": 0.0,
    }
    mode = settings.one("selection_mode")
    if mode is not None and mode.arguments[-1:] == ("2",):
        table["threshold"] = number("short_force_error_threshold", 0.0)
    if fading:
        table |= {
            "noise": 1.0,
            "forgetting": number("kalman_lambda_short", 0.98),
            "forgetting_rate": number("kalman_nue_short", 0.9987),
        }
        return table
    return table | {
        "noise": 1 / _positive(settings, "kalman_eta", 0.01),
        "noise_decay": number("kalman_etatau", 2.302),
        "noise_min": 1 / _positive(settings, "kalman_etamax", 1.0),
        "process_noise": number("kalman_q0", 0.01),
        "process_decay": number("kalman_qtau", 2.302),
        "process_min": number("kalman_qmin", 1e-6),
    }


def _positive(settings: Settings, keyword: str, default: float) -> float:
    value = settings.number(keyword, default)
    if not value > 0:
        raise OptionError(f"{settings.path}: {keyword} {value} must be above zero")
    return value


def _explain_the_rest(settings: Settings) -> None:
    """One warning for every keyword that changes nothing here."""
    seen = set()
    for entry in settings.entries:
        keyword = entry.keyword
        if keyword in READ | _MAPPED | set(SHORT_RANGE_TYPES) or keyword in seen:
            continue
        seen.add(keyword)
        reason = why_ignored(keyword, entry.arguments)
        if reason:
            warnings.warn(f"{entry.where}: {keyword} is left out: {reason}", stacklevel=2)
