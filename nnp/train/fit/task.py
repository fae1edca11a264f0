"""From settings and data to what a fit needs: functions, inputs, reference energies, first weights.

All but the weights is shared by the members of a committee.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.baseline import Baseline, BaselineSum
from nnp.errors import StructureError
from nnp.functions import describe
from nnp.io.structures import is_input_data
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling
from nnp.terminal import progress_bar
from nnp.terms import RepulsionTerm
from nnp.train.data.baseline import reference_energies, without_baseline
from nnp.train.data.checks import check, require_labels
from nnp.train.data.dataset import Dataset
from nnp.train.data.findings import Finding
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import initial_network
from nnp.train.fit.machine import Ranks, find_device, memory_explained
from nnp.train.fit.model import TrainingModel
from nnp.train.fit.moment_model import MomentModel, moment_networks
from nnp.train.fit.network import AtomicNetwork, from_network
from nnp.train.fit.optimizers import uses_columns
from nnp.train.fit.samples import Samples
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.start import Start, read_start
from nnp.train.inputs.features import FeatureMaker, Sample
from nnp.train.inputs.functions import Functions, choose_functions
from nnp.train.inputs.moment_features import MomentMaker
from nnp.train.inputs.products import DescriptorProducts
from nnp.train.inputs.prune import prune
from nnp.train.inputs.statistics import look_at, spread_of_all
from nnp.train.inputs.transform import (
    InputTransform,
    Spread,
    far_environments,
    input_transform,
    scaling_of,
    spread_of,
)
from nnp.train.inputs.uncontracted import UncontractedProducts
from nnp.units import ATOMIC, METAL, UnitSystem, unit_system


@dataclass(frozen=True, eq=False, kw_only=True)
class Chosen:
    """What follows from settings and data, before any Jacobian is computed.

    Attributes:
        functions: per element symbol, those that were kept.
        scalings: per element, of the finished potential.
        offsets: reference energy per element symbol, eV.
        maker: of the samples.
        frames: all structures, those of the training set first; labels without the baseline.
        n_train: structures in the training set.
        findings: of the data's checks.
        dropped: functions that were pruned, one line each with the reason.
        ranks: the processes that share the work.
        parts, terms: of the finished potential, taken off the labels.
        start: the potential that the fit goes on from, if any.
    """

    functions: Functions
    scalings: list[Scaling]
    offsets: dict[str, float]
    maker: FeatureMaker
    frames: Dataset
    n_train: int
    findings: list[Finding]
    dropped: list[str]
    ranks: Ranks = field(default_factory=Ranks)
    parts: tuple[Baseline, ...] = ()
    terms: tuple[RepulsionTerm, ...] = ()
    start: Start | None = None


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


def choose(
    settings: TrainingSettings,
    train: Dataset,
    validation: Dataset,
    quiet: bool = False,
    ranks: Ranks | None = None,
) -> Chosen:
    """Check the data, choose functions and the networks' inputs.

    Args:
        settings: all of them; networks, optimiser's constants and seed play no part.
        train: the data to learn from.
        validation: the data to judge by.
        quiet: whether to hide progress bars.
        ranks: the processes that share the work; one when None.

    Raises:
        StructureError: unusable data; names the structure.
        OptionError: settings that do not fit the data.
        UnavailableError: no such device, or its memory is full.
    """
    require_labels(train)
    if len(validation):
        require_labels(validation)
    findings = check(train + validation)  # together: a duplicate may be in both
    start = None if settings.run.from_ is None else read_start(settings.run.from_)
    elements = train.elements if start is None else start.elements(train.elements)
    _require_known(elements, validation)
    parts, terms = _baseline(settings, start, elements)
    if parts or terms:
        baseline = BaselineSum(parts)
        train = without_baseline(train, baseline, terms, quiet)
        validation = without_baseline(validation, baseline, terms, quiet)
    device = find_device(settings.run.device)
    structures = [frame.structure for frame in train]
    functions: Functions = {}
    if start is None or set(elements) > set(start.potential.elements):
        functions = choose_functions(settings.functions, elements, structures)
    if start is not None:
        functions = start.functions(functions)
    # On the CPU whatever the device: eigenvectors turn with the last digit of the values, and with
    # them what a checkpoint's weights mean.
    watch = partial(_bar, "functions", quiet)
    looked_at = look_at(
        DescriptorProducts(functions, settings.run.threads), structures, watch=watch
    )
    kept, dropped = _pruned(functions, looked_at.rows, settings, start)
    values = {symbol: looked_at.rows[symbol][:, index] for symbol, index in kept.items()}
    functions = {s: tuple(functions[s][i] for i in index) for s, index in kept.items()}
    if looked_at.complete:
        spreads = {symbol: spread_of(rows) for symbol, rows in values.items() if len(rows)}
    else:
        products = DescriptorProducts(functions, settings.run.threads)
        spreads = spread_of_all(products, structures, partial(_bar, "ranges", quiet))
    if settings.inputs.decorrelate:
        findings += _far_atoms(train, values, looked_at.numbers)
    with memory_explained(device):
        maker, scalings = _maker(settings, functions, values, spreads, start, device)
    return Chosen(
        functions=functions,
        scalings=scalings,
        offsets=reference_energies(train, elements, _known_energies(settings, start)),
        maker=maker,
        frames=train + validation,
        n_train=len(train),
        findings=findings,
        dropped=dropped,
        ranks=ranks or Ranks(),
        parts=parts,
        terms=terms,
        start=start,
    )


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

    return Samples(frames, numbers, make, room, stress, partial(_bar, f"{part} inputs", quiet))


def _bar(what: str, quiet: bool, numbers: Sequence[int]) -> Iterable[int]:
    """The same numbers, with progress."""
    hidden = quiet or not numbers or None
    bar: Iterable[int] = progress_bar(numbers, desc=what, unit="structure", disable=hidden)
    return bar


def stores_columns(settings: TrainingSettings) -> bool:
    """Whether the Jacobian of the training set is kept, as far as memory goes."""
    if learns_coefficients(settings):
        return False
    return settings.run.store_columns is not False and uses_columns(settings.optimizer)


def learns_coefficients(settings: TrainingSettings) -> bool:
    """Whether radial series are learned with the networks."""
    generate = settings.functions.generate
    return settings.functions.file is None and getattr(generate, "learn", False)


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
    """The networks' shapes, per element, one behind the other in θ."""
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


def _baseline(
    settings: TrainingSettings, start: Start | None, elements: tuple[str, ...]
) -> tuple[tuple[Baseline, ...], tuple[RepulsionTerm, ...]]:
    if start is not None:
        return start.baseline(settings.baseline, elements)
    return settings.baseline.parts, settings.baseline.terms(elements)


def _known_energies(settings: TrainingSettings, start: Start | None) -> dict[str, float]:
    """Reference energies that are no matter of least squares."""
    models = () if start is None else start.potential.models
    return {m.symbol: m.energy_offset for m in models} | settings.data.reference_energies


def _require_known(elements: tuple[str, ...], validation: Dataset) -> None:
    known = set(elements)
    for frame in validation:
        unknown = set(frame.structure.symbols) - known
        if unknown:
            raise StructureError(
                f"{frame.where} (validation) has {sorted(unknown)}, which the training data lacks"
            )


def _pruned(
    functions: Functions,
    values: dict[str, NDArray[np.float64]],
    settings: TrainingSettings,
    start: Start | None,
) -> tuple[dict[str, NDArray[np.int64]], list[str]]:
    """Indices per element that are kept; what a potential to go on from has is."""
    kept, dropped = {}, []
    for symbol, own in functions.items():
        mine = np.zeros(len(own), np.bool_) if start is None else start.mine(symbol, own)
        others = np.flatnonzero(~mine)
        kept[symbol] = np.flatnonzero(mine)
        if mine.any() and not values[symbol][:, others].any():
            dropped += [f"{symbol}: {describe(own[i])}: always zero" for i in others]
        elif len(others):
            rest = tuple(own[i] for i in others)
            chosen = prune(rest, values[symbol][:, others], settings.functions.prune)
            kept[symbol] = np.sort(np.concatenate([kept[symbol], others[chosen.kept]]))
            dropped += [f"{symbol}: {reason}" for reason in chosen.reasons]
    return kept, dropped


def _far_atoms(
    train: Dataset,
    values: dict[str, NDArray[np.float64]],
    numbers: dict[str, NDArray[np.int64]],
) -> Iterator[Finding]:
    """Structures with atoms that the scaling of inputs leaves out."""
    for symbol, rows in values.items():
        if not len(rows):
            continue
        found = Counter(numbers[symbol][far_environments(rows)].tolist())
        for number, count in found.items():
            atoms = f"{count} atom{'s' if count > 1 else ''} of {symbol}"
            yield Finding(
                train[number].where,
                f"{atoms} far from all others: learned, but inputs are scaled without",
            )


def _maker(
    settings: TrainingSettings,
    functions: Functions,
    values: dict[str, NDArray[np.float64]],
    spreads: dict[str, Spread],
    start: Start | None,
    device: torch.device,
) -> tuple[FeatureMaker, list[Scaling]]:
    scalings: list[Scaling] = []
    transforms: list[InputTransform] = []
    for symbol, own in functions.items():
        known = None if start is None else start.scaling(symbol, own, spreads.get(symbol))
        scalings.append(scaling_of(spreads[symbol], settings.inputs) if known is None else known)
        transforms.append(input_transform(values[symbol], scalings[-1], settings.inputs))
    if learns_coefficients(settings):
        moments = UncontractedProducts(functions, settings.run.torch_dtype, device)
        return MomentMaker(moments, transforms, settings.run.torch_dtype), scalings
    products = DescriptorProducts(functions, settings.run.threads, device, settings.run.dtype)
    return FeatureMaker(products, transforms, settings.run.torch_dtype), scalings
