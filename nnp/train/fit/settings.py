"""All settings of a training run: the TOML file's tables, one dataclass each.

Those of one part stand with what they govern; here are the whole and what belongs to no part.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch

from nnp.errors import OptionError
from nnp.processor import MOST_THREADS
from nnp.train.data.baseline import BaselineSettings
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import require_name
from nnp.train.fit.optimizers import OptimizerSettings
from nnp.train.fit.optimizers.base import ScheduleSettings
from nnp.train.inputs.functions import FunctionSettings
from nnp.train.inputs.nep import GeneratedNep
from nnp.train.inputs.transform import InputSettings
from nnp.values import require_whole

_EPOCHS = 40
_FROM_ONE = ("epochs", "evaluate_every", "train_judged", "checkpoint_every", "keep_every")


@dataclass(frozen=True)
class TargetSettings:
    """[run.target]: errors that are good enough; the fit stops once all that are given are reached.

    Attributes:
        energy: RMSE over the validation set (or else the training set), eV/atom; None: no target.
        forces: the same for forces, eV/Å.
    """

    energy: float | None = None
    forces: float | None = None

    def __post_init__(self) -> None:
        for name in ("energy", "forces"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise OptionError(f"target {name} = {value}: an RMSE above 0, or leave it out")

    @property
    def given(self) -> dict[str, float]:
        """Those that are, by name."""
        both = {"energy": self.energy, "forces": self.forces}
        return {name: value for name, value in both.items() if value is not None}


@dataclass(frozen=True)
class RunSettings:
    """[run]: how long, and what is written.

    Attributes:
        epochs: passes over the training data; None: 40, or chosen by ``optimizer.kind = "auto"``.
        seed: of all random numbers.
        output: folder of models, logs and checkpoints.
        evaluate_every: epochs between evaluations of training and validation errors.
        train_judged: number of training structures, drawn once, whose errors the log shows if there
            is a validation set, which decides; None, or no validation set: all.
        checkpoint_every: epochs between checkpoints.
        keep_every: epochs between models kept as ``epoch_00042.nnp``; None: keep none.
        target: errors at which the fit stops.
        max_time: seconds after which the fit stops, between two steps; None: never.
        patience: epochs without a better validation loss after which the fit stops; None: never.
        dtype: ``"float64"`` or ``"float32"``, of networks and optimiser.
        store_columns: whether second-order optimisers keep the Jacobian in memory; None: as far as
            it fits.
        from_: a potential to start from; None: random weights.
        max_memory: memory limit of the process, GB; None: the free memory of the machine.
        threads: of torch, BLAS and the engine.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        tensorboard: whether to write TensorBoard events too.
        report: whether ``nnp train`` writes report.html and metrics.json at the end.
    """

    epochs: int | None = None
    seed: int = 0
    output: str = "training"
    evaluate_every: int = 1
    train_judged: int | None = 200
    checkpoint_every: int = 1
    keep_every: int | None = None
    patience: int | None = None
    max_time: float | None = None
    dtype: str = "float64"
    store_columns: bool | None = None
    max_memory: float | None = None
    from_: str | None = None
    threads: int = 1
    tensorboard: bool = False
    report: bool = True
    device: str = "cpu"
    target: TargetSettings = field(default_factory=TargetSettings)

    def __post_init__(self) -> None:
        for name in (*_FROM_ONE, "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name} = {value}: 1 or more")
        if self.threads > MOST_THREADS:
            raise OptionError(f"threads = {self.threads}: 1 to {MOST_THREADS}")
        require_whole("seed", self.seed, 0)
        if not self.output.strip():
            raise OptionError(
                f"output = {self.output!r}: the name of a folder, or leave it out (training)"
            )
        if self.dtype not in ("float64", "float32"):
            raise OptionError(f"dtype = {self.dtype!r}: allowed are 'float64', 'float32'")
        if self.patience is not None and self.patience < 1:
            raise OptionError(f"patience = {self.patience}: 1 epoch or more, or leave it out")
        if self.max_time is not None and not self.max_time > 0:
            raise OptionError(f"max_time = {self.max_time}: seconds above 0, or leave it out")
        if self.max_memory is not None and not self.max_memory > 0:
            raise OptionError(f"max_memory = {self.max_memory}: GB above 0, or leave it out")
        require_name(self.device)

    @property
    def passes(self) -> int:
        """``epochs``, or the default."""
        return _EPOCHS if self.epochs is None else self.epochs

    def judged(self, train: int, validation: int) -> int:
        """Structures of a training set that are judged after an epoch, beside a validation set."""
        if not validation or self.train_judged is None:
            return train
        return min(self.train_judged, train)

    @property
    def torch_dtype(self) -> torch.dtype:
        """``dtype`` as torch has it."""
        return torch.float64 if self.dtype == "float64" else torch.float32


@dataclass(frozen=True)
class CommitteeSettings:
    """[committee]: several networks for the same data.

    Attributes:
        members: number of members; 1: no committee.
        hidden: neurons of each hidden layer, per member; empty: all as in [network]. The number of
            layers must be the same for all, so that one network can hold the mean.
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
        if any(size < 1 for sizes in self.hidden for size in sizes):
            raise OptionError(
                f"committee hidden = {[list(sizes) for sizes in self.hidden]}: at least one neuron "
                "per layer"
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
    baseline: BaselineSettings = field(default_factory=BaselineSettings)

    def __post_init__(self) -> None:
        if isinstance(self.functions.generate, GeneratedNep):
            network = dataclasses.replace(self.network, hidden=(self.functions.generate.neuron,))
            object.__setattr__(self, "network", network)


def to_table(settings: Any) -> Any:
    """Plain values of a dataclass, JSON-serialisable."""
    if dataclasses.is_dataclass(settings):
        pairs = ((f.name, getattr(settings, f.name)) for f in dataclasses.fields(settings))
        return {name.rstrip("_"): to_table(value) for name, value in pairs}
    if isinstance(settings, Enum):
        return settings.value
    if isinstance(settings, tuple | list):
        return [to_table(value) for value in settings]
    if isinstance(settings, dict):
        return {str(key): to_table(value) for key, value in settings.items()}
    return settings
