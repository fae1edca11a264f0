"""What follows from settings and data before anything large is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from nnp.baseline import Baseline, BaselineSum
from nnp.errors import StructureError
from nnp.functions import describe
from nnp.potential import UNDETERMINED
from nnp.scaling import Scaling
from nnp.terminal import progress_bar
from nnp.terms import RepulsionTerm
from nnp.train.data.baseline import reference_energies, without_baseline
from nnp.train.data.checks import check, require_labels
from nnp.train.data.compositions import composition_finding, undetermined
from nnp.train.data.dataset import Dataset
from nnp.train.data.energies import COHESIVE, EnergyKind, kind_of_energies
from nnp.train.data.findings import Finding
from nnp.train.fit.machine import Ranks, find_device, memory_explained
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.start import Start, read_start
from nnp.train.inputs.features import FeatureMaker
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
        parts, terms: of the finished potential, subtracted from the labels.
        start: the potential that the fit continues, if any.
        energies: a line that says what kind of energies the labels are, where that was decided.
        undetermined: elements whose energies the compositions do not tell.
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
    energies: str = ""
    undetermined: tuple[str, ...] = ()


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
    known = _known_energies(settings, start)
    kind = EnergyKind()
    if start is None:
        kind = kind_of_energies(train, elements, known, settings.data.energies)
        known = {} if kind.name == COHESIVE else known
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
    watch = partial(bar, "functions", quiet)
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
        spreads = spread_of_all(products, structures, partial(bar, "ranges", quiet))
    unknown = undetermined(train, elements, known)
    findings += [
        Finding(
            "settings",
            f"network.elements.{symbol} has no effect: the data has {', '.join(elements)}",
        )
        for symbol in settings.network.elements
        if symbol not in elements
    ]
    if unknown:
        findings.append(composition_finding(unknown))
    if settings.inputs.decorrelate:
        findings += _far_atoms(train, values, looked_at.numbers)
    with memory_explained(device):
        maker, scalings = _maker(settings, functions, values, spreads, start, device)
    return Chosen(
        functions=functions,
        scalings=scalings,
        offsets=reference_energies(train, elements, known),
        maker=maker,
        frames=train + validation,
        n_train=len(train),
        findings=findings,
        dropped=dropped,
        ranks=ranks or Ranks(),
        parts=parts,
        terms=terms,
        start=start,
        energies=kind.line,
        undetermined=tuple(dict.fromkeys((*_inherited(start), *unknown))),
    )


def learns_coefficients(settings: TrainingSettings) -> bool:
    """Whether radial series are learned with the networks; a continued fit keeps them."""
    if settings.functions.file is not None or settings.run.from_ is not None:
        return False
    learn: bool = getattr(settings.functions.generate, "learn", False)
    return learn


def bar(what: str, quiet: bool, numbers: Sequence[int]) -> Iterable[int]:
    """The same numbers, with progress."""
    hidden = quiet or not numbers or None
    found: Iterable[int] = progress_bar(numbers, desc=what, unit="structure", disable=hidden)
    return found


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


def _inherited(start: Start | None) -> Iterable[str]:
    """Elements whose energies the first fit of a potential to continue did not know."""
    return () if start is None else start.potential.provenance.get(UNDETERMINED, ())


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
    """Indices per element that are kept; what a potential to continue has is."""
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
