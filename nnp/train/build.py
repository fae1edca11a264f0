"""From settings to everything that a fit needs: data, model, first weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnp.io.structures import is_input_data
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.train.dataset import Dataset
from nnp.train.initial import initial_network
from nnp.train.model import TrainingModel
from nnp.train.network import AtomicNetwork, from_network
from nnp.train.parallel import Ranks
from nnp.train.prepare import Prepared, prepare
from nnp.train.settings import DataSettings, TrainingSettings
from nnp.train.splits import split
from nnp.units import ATOMIC, METAL, UnitSystem, unit_system


@dataclass(frozen=True, eq=False, kw_only=True)
class Task(Prepared):
    """What a trainer needs: what all fits to the data share, and of this one in addition:

    Attributes:
        model: the fixed part.
        theta: the first parameters.
    """

    model: TrainingModel
    theta: Tensor


def read_data(settings: DataSettings) -> tuple[Dataset, Dataset]:
    """Training and validation set."""
    units = unit_system(settings.units)
    train, held_out = split(Dataset.read(settings.train, settings.keys, units), settings.split)
    if settings.validation:
        held_out = held_out + Dataset.read(
            settings.validation, settings.keys, units, require_keys=False
        )
    return train, held_out


def build(
    settings: TrainingSettings,
    train: Dataset,
    validation: Dataset,
    quiet: bool = False,
    ranks: Ranks | None = None,
) -> Task:
    """Prepare the data and draw weights; see `nnp.train.prepare.prepare`."""
    return make_task(settings, prepare(settings, train, validation, quiet, ranks))


def make_task(settings: TrainingSettings, prepared: Prepared) -> Task:
    """A network set with first weights for data that may be shared by several of them."""
    rng = np.random.default_rng((settings.run.seed, 1))
    models, networks, parameters = [], [], []
    start = 0
    pairs = zip(prepared.functions.items(), prepared.scalings, strict=True)
    for (symbol, own), scaling in pairs:
        network = _network(settings, symbol, len(own), start)
        start += network.n_parameters
        networks.append(network)
        chosen = settings.network
        first = initial_network(network, chosen.initial, rng, chosen.weight_range)
        parameters.append(from_network(first))
        blank = _blank(len(own), first)
        models.append(ElementModel(symbol, own, scaling, blank, prepared.offsets[symbol]))
    template = Potential(tuple(models), units=_file_units(settings.data))
    model = TrainingModel(tuple(networks), prepared.maker, template)
    theta = torch.cat(parameters).to(prepared.maker.device, prepared.maker.dtype)
    return Task(**vars(prepared), model=model, theta=theta)


def _file_units(data: DataSettings) -> UnitSystem:
    """Those of the input.data it learns from, which do not say them; else Å and eV."""
    if not any(map(is_input_data, (*data.train, *data.validation))):
        return METAL
    return unit_system(data.units) or ATOMIC


def _network(settings: TrainingSettings, symbol: str, n_inputs: int, start: int) -> AtomicNetwork:
    chosen = settings.network.of(symbol)
    activations = [chosen.activation] * len(chosen.hidden) + [Activation.IDENTITY]
    return AtomicNetwork((n_inputs, *chosen.hidden, 1), activations, start)


def _blank(n_functions: int, first: Network) -> Network:
    """Zeros of the finished network's shape."""
    weights = (np.empty((n_functions, first.sizes[1])), *first.weights[1:])
    zeros = tuple(np.zeros_like(w) for w in weights)
    return Network(zeros, tuple(np.zeros_like(b) for b in first.biases), first.activations)
