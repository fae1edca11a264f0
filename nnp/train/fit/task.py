"""From settings and data to what a fit needs: functions, inputs, reference energies, first weights.

All but the weights is shared by the members of a committee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nnp.io.structures import is_input_data
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.train.data.dataset import Dataset
from nnp.train.data.sets import DataSettings
from nnp.train.fit.choosing import Chosen, bar, choose, learns_coefficients
from nnp.train.fit.initial import initial_network
from nnp.train.fit.machine import Ranks, memory_explained
from nnp.train.fit.model import TrainingModel
from nnp.train.fit.moment_model import MomentModel, moment_networks
from nnp.train.fit.network import AtomicNetwork, from_network
from nnp.train.fit.optimizers import uses_columns
from nnp.train.fit.samples import Samples
from nnp.train.fit.settings import TrainingSettings
from nnp.train.inputs.features import Sample
from nnp.train.inputs.moment_features import MomentMaker
from nnp.units import ATOMIC, METAL, UnitSystem, unit_system


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared(Chosen):
    """What fits that differ in networks and seeds have in common.

    Attributes:
        train, validation: samples of this process, see `nnp.train.fit.machine`.
    """

    train: Samples
    validation: Samples


@dataclass(frozen=True, eq=False, kw_only=True)
class Task(Prepared):
    """What a trainer needs: what all fits to the data share, and of this one in addition:

    Attributes:
        model: the fixed part.
        theta: the first parameters.
    """

    model: TrainingModel
    theta: Tensor


def build(
    settings: TrainingSettings,
    train: Dataset,
    validation: Dataset,
    quiet: bool = False,
    ranks: Ranks | None = None,
) -> Task:
    """Choose, compute inputs, draw weights; see `choose` and `prepare`."""
    chosen = choose(settings, train, validation, quiet, ranks)
    return make_task(settings, prepare(settings, chosen, quiet))


def prepare(
    settings: TrainingSettings, chosen: Chosen, quiet: bool = False, room: float = float("inf")
) -> Prepared:
    """Compute this process' samples of the training and of the validation set.

    Args:
        settings: all of them.
        chosen: what they are computed from.
        quiet: whether to hide progress bars.
        room: bytes that samples may take; those beyond are made whenever they are wanted.

    Raises:
        UnavailableError: the device's memory is full.
    """
    with memory_explained(chosen.maker.device):
        train = _samples(settings, chosen, "training", quiet, room)
        room -= sum(train[place].nbytes for place in range(train.kept))
        validation = _samples(settings, chosen, "validation", quiet, room)
    return Prepared(**vars(chosen), train=train, validation=validation)


def _samples(
    settings: TrainingSettings, chosen: Chosen, part: str, quiet: bool, room: float
) -> Samples:
    training = part == "training"
    first = 0 if training else chosen.n_train
    count = chosen.n_train if training else len(chosen.frames) - chosen.n_train
    numbers = [n for n in range(count) if chosen.ranks.owns(n)]
    frames = [chosen.frames[first + n] for n in numbers]
    store, stress = training and stores_columns(settings), learns_stress(settings)

    def make(place: int, keep: bool) -> Sample:
        return chosen.maker.sample(frames[place], stress, store and keep, numbers[place])

    return Samples(frames, numbers, make, room, stress, partial(bar, f"{part} inputs", quiet))


def stores_columns(settings: TrainingSettings) -> bool:
    """Whether the Jacobian of the training set is kept, as far as memory goes."""
    if learns_coefficients(settings):
        return False
    return settings.run.store_columns is not False and uses_columns(settings.optimizer)


def learns_stress(settings: TrainingSettings) -> bool:
    """Whether stresses have a weight at any time."""
    return settings.loss.stress > 0 or settings.loss.stress_end > 0


def make_task(settings: TrainingSettings, prepared: Prepared) -> Task:
    """A network set with first weights for data that may be shared by several of them."""
    model, theta = make_model(settings, prepared)
    return Task(**vars(prepared), model=model, theta=theta)


def make_model(settings: TrainingSettings, chosen: Chosen) -> tuple[TrainingModel, Tensor]:
    """The networks' fixed part, and first weights."""
    rng = np.random.default_rng((settings.run.seed, 1))
    models, parameters = [], []
    networks = networks_of(settings, chosen)
    transforms = chosen.maker.transforms
    pairs = zip(chosen.functions.items(), chosen.scalings, networks, transforms, strict=True)
    for (symbol, own), scaling, network, transform in pairs:
        first = None if chosen.start is None else chosen.start.network(symbol, own, transform)
        if first is None:
            how = settings.network
            first = initial_network(network, how.initial, rng, how.weight_range)
        parameters.append(from_network(first))
        blank = _blank(len(own), first)
        models.append(ElementModel(symbol, own, scaling, blank, chosen.offsets[symbol]))
    template = Potential(
        tuple(models),
        units=_file_units(settings.data) if chosen.start is None else chosen.start.potential.units,
        baseline=chosen.parts,
        terms=chosen.terms,
    )
    if isinstance(chosen.maker, MomentMaker):
        return _with_coefficients(settings, chosen, chosen.maker, template, parameters)
    model = TrainingModel(tuple(networks), chosen.maker, template)
    theta = torch.cat(parameters).to(chosen.maker.device, chosen.maker.dtype)
    return model, theta


def _with_coefficients(
    settings: TrainingSettings,
    chosen: Chosen,
    maker: MomentMaker,
    template: Potential,
    parameters: Sequence[Tensor],
) -> tuple[TrainingModel, Tensor]:
    """As `make_model`, of a fit that learns radial series: their parameters begin at 0."""
    structures = tuple(frame.structure for frame in chosen.frames.frames[: chosen.n_train])
    networks = moment_networks(networks_of(settings, chosen), chosen.functions, maker, structures)
    scaled = (structures, settings.inputs, settings.run.threads)
    model = MomentModel(tuple(networks), maker, template, *scaled)
    whole = [
        torch.cat([own, own.new_zeros(network.n_parameters - network.n_weights)])
        for own, network in zip(parameters, networks, strict=True)
    ]
    return model, torch.cat(whole).to(maker.device, maker.dtype)


def _file_units(data: DataSettings) -> UnitSystem:
    """Those of the input.data it learns from, which do not say them; else Å and eV."""
    if not any(map(is_input_data, (*data.train, *data.validation))):
        return METAL
    return unit_system(data.units) or ATOMIC


def networks_of(settings: TrainingSettings, chosen: Chosen) -> list[AtomicNetwork]:
    """The networks' shapes, per element, one after the other in θ."""
    networks: list[AtomicNetwork] = []
    for symbol, own in chosen.functions.items():
        at = networks[-1].span.stop if networks else 0
        model = None if chosen.start is None else chosen.start.model(symbol)
        if model is None:
            networks.append(_network(settings, symbol, len(own), at))
        else:
            sizes = (len(own), *model.network.sizes[1:])
            networks.append(AtomicNetwork(sizes, model.network.activations, at))
    return networks


def _network(settings: TrainingSettings, symbol: str, n_inputs: int, start: int) -> AtomicNetwork:
    chosen = settings.network.of(symbol)
    activations = [*chosen.of_layers, Activation.IDENTITY]
    return AtomicNetwork((n_inputs, *chosen.hidden, 1), activations, start)


def _blank(n_functions: int, first: Network) -> Network:
    """Zeros of the finished network's shape."""
    weights = (np.empty((n_functions, first.sizes[1])), *first.weights[1:])
    zeros = tuple(np.zeros_like(w) for w in weights)
    return Network(zeros, tuple(np.zeros_like(b) for b in first.biases), first.activations)
