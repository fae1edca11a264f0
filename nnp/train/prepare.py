"""From settings and data to what all fits to them share: functions, inputs, reference energies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from nnp.errors import OptionError, StructureError
from nnp.io.n2p2.functions import cutoff_maker, read_function
from nnp.io.n2p2.settings import Settings as InputNN
from nnp.scaling import Scaling
from nnp.symmetry_functions import SymmetryFunction, canonical_order
from nnp.train.checks import Finding, check, require_labels
from nnp.train.dataset import Dataset
from nnp.train.devices import find_device, memory_explained
from nnp.train.features import FeatureMaker, InputTransform, Sample
from nnp.train.inputs import input_transform, scaling_of
from nnp.train.offsets import reference_energies
from nnp.train.optimizers import uses_columns
from nnp.train.parallel import Ranks
from nnp.train.products import DescriptorProducts
from nnp.train.prune import prune
from nnp.train.settings import FunctionSettings, TrainingSettings
from nnp.units import ATOMIC, unit_system

Functions = dict[str, tuple[SymmetryFunction, ...]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What fits that differ in networks and seeds have in common.

    Attributes:
        functions: per element symbol, those that were kept.
        scalings: per element, of the finished potential.
        offsets: reference energy per element symbol, eV.
        maker: of the samples.
        train, validation: samples of this process, see `nnp.train.parallel`.
        frames: all structures, those of the training set first.
        n_train: structures in the training set.
        findings: of the data's checks.
        dropped: functions that were pruned, one line each with the reason.
        ranks: the processes that share the work.
    """

    functions: Functions
    scalings: list[Scaling]
    offsets: dict[str, float]
    maker: FeatureMaker
    train: list[Sample]
    validation: list[Sample]
    frames: Dataset
    n_train: int
    findings: list[Finding]
    dropped: list[str]
    ranks: Ranks = field(default_factory=Ranks)


def prepare(
    settings: TrainingSettings,
    train: Dataset,
    validation: Dataset,
    quiet: bool = False,
    ranks: Ranks | None = None,
) -> Prepared:
    """Check the data, choose functions, compute inputs.

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
    _require_known(train, validation)
    device = find_device(settings.run.device)
    functions = choose_functions(settings.functions, train.elements)
    # On the CPU whatever the device: eigenvectors turn with the last digit of the values, and with
    # them what a checkpoint's weights mean.
    values = _values(DescriptorProducts(functions, settings.run.threads), train, quiet)
    kept, dropped = _pruned(functions, values, settings)
    values = {symbol: values[symbol][:, index] for symbol, index in kept.items()}
    functions = {s: tuple(functions[s][i] for i in index) for s, index in kept.items()}
    with memory_explained(device):
        maker, scalings = _maker(settings, functions, values, device)
        ranks = ranks or Ranks()
        parts = _samples(settings, maker, (train, validation), quiet, ranks)
    return Prepared(
        functions=functions,
        scalings=scalings,
        offsets=reference_energies(train, train.elements, settings.data.reference_energies),
        maker=maker,
        train=parts[0],
        validation=parts[1],
        frames=train + validation,
        n_train=len(train),
        findings=findings,
        dropped=dropped,
        ranks=ranks,
    )


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
        found = products.descriptors(products.place(frame.structure))
        for symbol, values in zip(products.elements, found, strict=True):
            rows[symbol].append(values.numpy())
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


def _maker(
    settings: TrainingSettings,
    functions: Functions,
    values: dict[str, NDArray[np.float64]],
    device: torch.device,
) -> tuple[FeatureMaker, list[Scaling]]:
    scalings: list[Scaling] = []
    transforms: list[InputTransform] = []
    for symbol in functions:
        scalings.append(scaling_of(values[symbol], settings.inputs))
        transforms.append(input_transform(values[symbol], scalings[-1], settings.inputs))
    products = DescriptorProducts(functions, settings.run.threads, device)
    return FeatureMaker(products, transforms, settings.run.torch_dtype), scalings


def _samples(
    settings: TrainingSettings,
    maker: FeatureMaker,
    datasets: tuple[Dataset, Dataset],
    quiet: bool,
    ranks: Ranks,
) -> list[list[Sample]]:
    """This process' samples of the training and of the validation set."""
    store = settings.run.store_columns and uses_columns(settings.optimizer)
    stress = settings.loss.stress > 0 or settings.loss.stress_end > 0
    parts: list[list[Sample]] = []
    for part, dataset in zip(("training", "validation"), datasets, strict=True):
        own = [n for n in range(len(dataset)) if ranks.owns(n)]
        bar = tqdm(own, desc=f"{part} inputs", unit="structure", disable=quiet or not own or None)
        keep = store and part == "training"
        parts.append([maker.sample(dataset[n], stress, keep, n) for n in bar])
    return parts
