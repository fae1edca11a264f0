"""Settings from a file: TOML, n2p2's and RuNNer's ``input.nn``, or ænet's ``train.in``."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnp.errors import FileFormatError, OptionError
from nnp.train.config.input_nn import read_input_nn
from nnp.train.config.tables import from_table
from nnp.train.config.train_in import read_train_in
from nnp.train.fit.settings import TrainingSettings


def read_settings(path: str | Path, units: str | None = None) -> TrainingSettings:
    """Read a TOML file, or an input.nn of n2p2 or RuNNer; files that it names are in its folder.

    Args:
        path: ``*.nn`` is an input.nn, ``*.in`` a train.in, everything else TOML.
        units: units of an input.nn and its input.data; a TOML file states them itself.

    Raises:
        FileFormatError: it cannot be read or breaks its format.
        OptionError: unknown keys or values that are not allowed.
    """
    path = Path(path)
    if path.suffix == ".in":
        if units is not None:
            raise OptionError(f"units={units!r} for {path}: ænet's files are in angstrom, eV")
        table = read_train_in(path)
    elif path.suffix == ".nn":
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
    except (ValueError, RecursionError) as error:  # numbers of any length, any nesting
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
    functions = replace(
        settings.functions,
        file=None if file is None else inside(file),
        setups={symbol: inside(name) for symbol, name in settings.functions.setups.items()},
    )
    start = settings.run.from_
    run = replace(
        settings.run,
        output=inside(settings.run.output),
        from_=None if start is None else inside(start),
    )
    return replace(settings, data=data, functions=functions, run=run)
