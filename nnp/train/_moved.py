"""Modules of `nnp.train` under the names that they had in version 0.1: programs of users go on."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGE = "nnp.train."
# Where the old name is the new module's last part, one list by folder; else old=new.
_MOVED = """
data: dataset checks augment sampling select evaluation frames splits=sets offsets=baseline
inputs: functions prune products product_engines features
fit: network initial model loss objective log settings checkpoint trainer run devices=machine
fit: parallel=machine threads=machine prepare=task build=task errors_of=log optimizers
fit: schedules=optimizers.base optimizers.base optimizers.kalman optimizers.covariance
fit: optimizers.first_order optimizers.levenberg_marquardt
config: tables input_nn
"""


def _table() -> dict[str, str]:
    """Old full name → new one."""
    table = {f"{_PACKAGE}teachers": "nnp.teachers.by_name"}
    for line in _MOVED.split("\n"):
        folder, _, names = line.partition(": ")
        for name in names.split():
            old, _, new = name.partition("=")
            table[_PACKAGE + old] = f"{_PACKAGE}{folder}.{new or old}"
    return table


class _Finder(MetaPathFinder, Loader):
    """Finds the module of the new name under the old one: one module, two names."""

    def __init__(self) -> None:
        self._table = _table()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Called by Python's import."""
        del path, target
        return ModuleSpec(fullname, self) if fullname in self._table else None

    def exec_module(self, module: ModuleType) -> None:
        """Called by Python's import, which takes from ``sys.modules`` what is there afterwards."""
        old = module.__name__
        sys.modules[old] = importlib.import_module(self._table[old])


def install() -> None:
    """Have old names found, once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
