"""All settings of a training run: the TOML file's tables, one dataclass each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from nnp.errors import FileFormatError, OptionError
from nnp.networks import Activation
from nnp.train.dataset import LabelKeys
from nnp.train.devices import require_name
from nnp.train.functions import GeneratedFunctions
from nnp.train.initial import Initialisation
from nnp.train.input_nn import read_input_nn
from nnp.train.inputs import InputSettings
from nnp.train.loss import LossSettings
from nnp.train.optimizers import OptimizerSettings
from nnp.train.prune import PruneSettings
from nnp.train.schedules import ScheduleSettings
from nnp.train.splits import SplitSettings
from nnp.train.tables import from_table
from nnp.values import require_whole


@dataclass(frozen=True)
class DataSettings:
    """[data]: what to learn from.

    Attributes:
        train: files of structures.
        validation: files of more structures, never trained on.
        units: of n2p2's input.data, see `nnp.units.unit_system`.
        split: structures of ``train`` to keep for validation.
        keys: where the labels are.
        reference_energies: eV per atom of an element; the others by least squares.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    units: str | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    keys: LabelKeys = field(default_factory=LabelKeys)
    reference_energies: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.train:
            raise OptionError("train names no file")


@dataclass(frozen=True)
class FunctionSettings:
    """[functions]: the symmetry functions.

    Attributes:
        file: an n2p2 input.nn whose functions are taken as they are; None: generate them.
        file_units: of that file, see `nnp.units.unit_system`.
        generate: the generated set.
        prune: which of them to leave out.
    """

    file: str | None = None
    file_units: str | None = None
    generate: GeneratedFunctions = field(default_factory=GeneratedFunctions)
    prune: PruneSettings = field(default_factory=PruneSettings)


@dataclass(frozen=True)
class ElementNetworkSettings:
    """[network.elements.X]: what differs for one element.

    Attributes:
        hidden: neurons of each hidden layer.
        activation: of the hidden layers.
    """

    hidden: tuple[int, ...]
    activation: Activation = Activation.TANH


@dataclass(frozen=True)
class NetworkSettings:
    """[network]: architecture and first weights.

    Attributes:
        hidden: neurons of each hidden layer.
        activation: of the hidden layers, by n2p2's letter.
        initial: how weights are drawn.
        weight_range: smallest and largest one of ``initial = "uniform"``.
        elements: exceptions by symbol.
    """

    hidden: tuple[int, ...] = (24, 24)
    activation: Activation = Activation.TANH
    initial: Initialisation = Initialisation.XAVIER
    weight_range: tuple[float, float] = (-1.0, 1.0)
    elements: dict[str, ElementNetworkSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = [self.hidden, *(e.hidden for e in self.elements.values())]
        if any(size < 1 for hidden in layers for size in hidden):
            raise OptionError(f"hidden = {list(self.hidden)}: at least one neuron per layer")
        if not self.weight_range[0] < self.weight_range[1]:
            raise OptionError(f"weight_range = {list(self.weight_range)}: the first must be below")

    def of(self, symbol: str) -> ElementNetworkSettings:
        """What holds for an element."""
        common = ElementNetworkSettings(self.hidden, self.activation)
        return self.elements.get(symbol, common)


@dataclass(frozen=True)
class RunSettings:
    """[run]: how long, and what is written.

    Attributes:
        epochs: passes over the training data.
        seed: of everything that is drawn.
        output: folder of models, logs and checkpoints.
        evaluate_every: epochs between evaluations of training and validation errors.
        checkpoint_every: epochs between checkpoints.
        patience: epochs without a better validation loss before it stops; None: never.
        dtype: ``"float64"`` or ``"float32"``, of networks and optimiser.
        store_columns: whether second-order optimisers keep the Jacobian in memory.
        threads: of torch, BLAS and the engine.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``: where everything is computed.
        tensorboard: whether to write TensorBoard events too.
    """

    epochs: int = 40
    seed: int = 0
    output: str = "training"
    evaluate_every: int = 1
    checkpoint_every: int = 1
    patience: int | None = None
    dtype: str = "float64"
    store_columns: bool = True
    threads: int = 1
    tensorboard: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("epochs", "evaluate_every", "checkpoint_every", "threads"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} = {getattr(self, name)}: 1 or more")
        require_whole("seed", self.seed, 0)
        if self.dtype not in ("float64", "float32"):
            raise OptionError(f"dtype = {self.dtype!r}: allowed are 'float64', 'float32'")
        if self.patience is not None and self.patience < 1:
            raise OptionError(f"patience = {self.patience}: 1 epoch or more, or leave it out")
        require_name(self.device)

    @property
    def torch_dtype(self) -> torch.dtype:
        """``dtype`` as torch has it."""
        return torch.float64 if self.dtype == "float64" else torch.float32


@dataclass(frozen=True)
class CommitteeSettings:
    """[committee]: several networks for the same data.

    Attributes:
        members: how many; 1: no committee.
        hidden: neurons of each hidden layer, per member; empty: all as [network] says. The number
            of layers must be the same, or the members have no mean in one network.
    """

    members: int = 1
    hidden: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.hidden and self.members == 1:
            object.__setattr__(self, "members", len(self.hidden))
        if self.members < 1 or (self.hidden and len(self.hidden) != self.members):
            raise OptionError(
                f"members = {self.members} with hidden layers for {len(self.hidden)}: 1 or more "
                "members, and hidden = [[24, 24], [30, 20], …] with one entry for each, or none"
            )
        if len({len(sizes) for sizes in self.hidden}) > 1:
            raise OptionError(
                f"committee hidden = {[list(sizes) for sizes in self.hidden]}: the members need "
                "the same number of hidden layers; their sizes may differ"
            )


@dataclass(frozen=True)
class TrainingSettings:
    """The whole file."""

    data: DataSettings
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    inputs: InputSettings = field(default_factory=InputSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    run: RunSettings = field(default_factory=RunSettings)
    committee: CommitteeSettings = field(default_factory=CommitteeSettings)


def read_settings(path: str | Path, units: str | None = None) -> TrainingSettings:
    """Read a TOML file, or n2p2's or RuNNer's input.nn; files that it names are in its folder.

    Args:
        path: ``*.nn`` is an input.nn, everything else TOML.
        units: of an input.nn and its input.data; a TOML file says them itself.

    Raises:
        FileFormatError: it cannot be read or breaks its format.
        OptionError: unknown keys or values that are not allowed.
    """
    path = Path(path)
    if path.suffix == ".nn":
        table = read_input_nn(path, units)
    elif units is not None:
        raise OptionError(f"units={units!r} for {path}: write data.units and functions.file_units")
    else:
        table = _read_toml(path)
    try:
        settings = from_table(TrainingSettings, table, "")
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from None
    return _located(settings, path.parent)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(f"{path} is not valid TOML: {error}") from None


def _located(settings: TrainingSettings, folder: Path) -> TrainingSettings:
    def inside(name: str) -> str:
        return str(folder / Path(name).expanduser())

    data = replace(
        settings.data,
        train=tuple(map(inside, settings.data.train)),
        validation=tuple(map(inside, settings.data.validation)),
    )
    file = settings.functions.file
    functions = replace(settings.functions, file=None if file is None else inside(file))
    run = replace(settings.run, output=inside(settings.run.output))
    return replace(settings, data=data, functions=functions, run=run)
