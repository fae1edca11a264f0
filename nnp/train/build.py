"""From settings to everything that a fit needs: data, functions, samples, model, first weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from nnp.errors import OptionError, StructureError
from nnp.io.n2p2.functions import cutoff_maker, read_function
from nnp.io.n2p2.settings import Settings as InputNN
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.symmetry_functions import SymmetryFunction, canonical_order
from nnp.train.checks import Finding, check
from nnp.train.dataset import Dataset
from nnp.train.features import FeatureMaker, Sample
from nnp.train.initial import initial_network
from nnp.train.inputs import input_transform, scaling_of
from nnp.train.model import TrainingModel
from nnp.train.network import AtomicNetwork, from_network
from nnp.train.offsets import reference_energies
from nnp.train.optimizers import make_optimizer
from nnp.train.parallel import Ranks
from nnp.train.products import DescriptorProducts
from nnp.train.prune import prune
from nnp.train.settings import DataSettings, FunctionSettings, TrainingSettings
from nnp.train.splits import split
from nnp.units import ATOMIC, unit_system


@dataclass(frozen=True, eq=False)
class Task:
    """What a trainer needs.

    Attributes:
        model: the fixed part.
        theta: the first parameters.
        train, validation: samples of this process, see `nnp.train.parallel`.
        frames: all structures, those of the training set first.
        n_train: structures in the training set.
        findings: of the data's checks.
        dropped: functions that were pruned, one line each with the reason.
    """

    model: TrainingModel
    theta: Tensor
    train: list[Sample]
    validation: list[Sample]
    frames: Dataset
    n_train: int
    findings: list[Finding]
    dropped: list[str]
    ranks: Ranks = field(default_factory=Ranks)


def read_data(settings: DataSettings) -> tuple[Dataset, Dataset]:
    """Training and validation set."""
    units = unit_system(settings.units)
    train, held_out = split(Dataset.read(settings.train, settings.keys, units), settings.split)
    if settings.validation:
        held_out = held_out + Dataset.read(settings.validation, settings.keys, units)
    return train, held_out


def build(
    settings: TrainingSettings,
    train: Dataset,
    validation: Dataset,
    quiet: bool = False,
    ranks: Ranks | None = None,
) -> Task:
    """Check the data, choose functions, compute inputs, draw weights.

    Args:
        settings: all of them.
        train: the data to learn from.
        validation: the data to judge by.
        quiet: whether to hide progress bars.
        ranks: the processes that share the work; one when None.

    Raises:
        StructureError: unusable data; names the structure.
        OptionError: settings that do not fit the data.
    """
    ranks = ranks or Ranks()
    findings = check(train)
    if len(validation):
        findings += check(validation)
    _require_known(train, validation)
    functions = choose_functions(settings.functions, train.elements)
    values = _values(DescriptorProducts(functions, settings.run.threads), train, quiet)
    kept, dropped = _pruned(functions, values, settings)
    values = {symbol: values[symbol][:, index] for symbol, index in kept.items()}
    functions = {s: tuple(functions[s][i] for i in index) for s, index in kept.items()}
    model, theta = _model(settings, train, functions, values)
    store = settings.run.store_columns and _uses_columns(settings)
    stress = settings.loss.stress > 0 or settings.loss.stress_end > 0
    parts: list[list[Sample]] = []
    for part, dataset in (("training", train), ("validation", validation)):
        own = [n for n in range(len(dataset)) if ranks.owns(n)]
        bar = tqdm(own, desc=f"{part} inputs", unit="structure", disable=quiet or not own or None)
        keep = store and part == "training"
        parts.append([model.maker.sample(dataset[n], stress, keep, n) for n in bar])
    frames = train + validation
    return Task(model, theta, parts[0], parts[1], frames, len(train), findings, dropped, ranks)


def choose_functions(
    settings: FunctionSettings, elements: Iterable[str]
) -> dict[str, tuple[SymmetryFunction, ...]]:
    """Functions per element, from a file or generated."""
    symbols = tuple(elements)
    if settings.file is None:
        return settings.generate.for_elements(symbols)
    lines = InputNN(Path(settings.file))
    make_cutoff = cutoff_maker(lines.one("cutoff_type"))
    length = (unit_system(settings.file_units) or ATOMIC).length_in_angstrom
    found: dict[str, list[SymmetryFunction]] = {symbol: [] for symbol in symbols}
    named = tuple(lines.required("elements").arguments)
    for entry in lines.all("symfunction_short", "symfunction"):
        central, function = read_function(entry, named, make_cutoff, length)
        if central in found:
            found[central].append(function)
    for symbol, own in found.items():
        if not own:
            raise OptionError(f"{settings.file} has no symfunction_short line for {symbol}")
    return {symbol: tuple(canonical_order(own)) for symbol, own in found.items()}


def _require_known(train: Dataset, validation: Dataset) -> None:
    for frame in validation:
        unknown = set(frame.structure.symbols) - set(train.elements)
        if unknown:
            raise StructureError(
                f"{frame.where} (validation) has {sorted(unknown)}, which the training data lacks"
            )


def _values(
    products: DescriptorProducts, dataset: Dataset, quiet: bool
) -> dict[str, NDArray[np.float64]]:
    """(n, s) functions of all atoms, per element."""
    rows: dict[str, list[NDArray[np.float64]]] = {symbol: [] for symbol in products.elements}
    for frame in tqdm(dataset, desc="functions", unit="structure", disable=quiet or None):
        values = products.descriptors(frame.structure)
        elements = products.element_indices(frame.structure)
        for index, symbol in enumerate(products.elements):
            rows[symbol].append(values[elements == index, : products.widths[index]])
    return {symbol: np.concatenate(parts) for symbol, parts in rows.items()}


def _pruned(
    functions: dict[str, tuple[SymmetryFunction, ...]],
    values: dict[str, NDArray[np.float64]],
    settings: TrainingSettings,
) -> tuple[dict[str, NDArray[np.int64]], list[str]]:
    kept, dropped = {}, []
    for symbol, own in functions.items():
        chosen = prune(own, values[symbol], settings.functions.prune)
        kept[symbol] = chosen.kept
        dropped += [f"{symbol}: {reason}" for reason in chosen.reasons]
    return kept, dropped


def _model(
    settings: TrainingSettings,
    train: Dataset,
    functions: dict[str, tuple[SymmetryFunction, ...]],
    values: dict[str, NDArray[np.float64]],
) -> tuple[TrainingModel, Tensor]:
    rng = np.random.default_rng((settings.run.seed, 1))
    offsets = reference_energies(train, train.elements, settings.data.reference_energies)
    dtype = torch.float64 if settings.run.dtype == "float64" else torch.float32
    models, networks, transforms, theta = [], [], [], []
    start = 0
    for symbol, own in functions.items():
        scaling = scaling_of(values[symbol], settings.inputs)
        transforms.append(input_transform(values[symbol], scaling, settings.inputs))
        network = _network(settings, symbol, len(own), start)
        start += network.n_parameters
        networks.append(network)
        first = initial_network(
            network, settings.network.initial, rng, settings.network.weight_range
        )
        theta.append(from_network(first))
        blank = Network(
            tuple(
                np.zeros_like(w) for w in (np.empty((len(own), first.sizes[1])), *first.weights[1:])
            ),
            tuple(np.zeros_like(b) for b in first.biases),
            first.activations,
        )
        models.append(ElementModel(symbol, own, scaling, blank, offsets[symbol]))
    maker = FeatureMaker(DescriptorProducts(functions, settings.run.threads), transforms, dtype)
    model = TrainingModel(tuple(networks), maker, Potential(tuple(models)))
    return model, torch.cat(theta).to(dtype)


def _network(settings: TrainingSettings, symbol: str, n_inputs: int, start: int) -> AtomicNetwork:
    chosen = settings.network.of(symbol)
    activations = [chosen.activation] * len(chosen.hidden) + [Activation.IDENTITY]
    return AtomicNetwork((n_inputs, *chosen.hidden, 1), activations, start)


def _uses_columns(settings: TrainingSettings) -> bool:
    optimizer = make_optimizer(settings.optimizer, 1, 1, 0, torch.float64)
    return optimizer.uses_columns
