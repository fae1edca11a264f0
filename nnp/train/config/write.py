"""Settings as a TOML file with every default in it, and what each key means."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnp.io.files import replacing
from nnp.train.fit.settings import TrainingSettings, to_table

_WIDTH = 100


def write_settings(
    settings: TrainingSettings, path: str | Path, head: Sequence[str] = (), force: bool = False
) -> None:
    """Write a file that `read_settings` reads back; paths in it are relative to its folder.

    Args:
        settings: all of them.
        path: of the file.
        head: lines of comment above all.
        force: whether an existing one may be replaced.

    Raises:
        OutputExistsError: it is there and ``force`` is False.
    """
    lines = [f"# {line}".rstrip() for line in head]
    lines += _tables(_relative(settings, Path(path).parent), "")
    with replacing(path, force=force) as scratch:
        scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _relative(settings: TrainingSettings, folder: Path) -> TrainingSettings:
    def outside(name: str) -> str:
        return name if Path(name).is_absolute() else os.path.relpath(name, folder or ".")

    data = dataclasses.replace(
        settings.data,
        train=tuple(map(outside, settings.data.train)),
        validation=tuple(map(outside, settings.data.validation)),
    )
    run = dataclasses.replace(settings.run, output=outside(settings.run.output))
    return dataclasses.replace(settings, data=data, run=run)


def _tables(settings: Any, name: str) -> Iterator[str]:
    """Plain keys first, then the tables in them."""
    meaning = _meaning(type(settings))
    inner: list[tuple[str, Any]] = []
    if name:
        yield from ("", f"[{name}]")
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        path = f"{name}.{field.name}" if name else field.name
        if dataclasses.is_dataclass(value) or _is_list_of_tables(value):
            inner.append((path, value))
        elif isinstance(value, dict) and any(map(dataclasses.is_dataclass, value.values())):
            inner += [(f"{path}.{key}", entry) for key, entry in value.items()]
        else:
            # from_ is from in the file, which is a word of Python
            key = field.name.removesuffix("_")
            yield from _line(key, to_table(value), meaning.get(field.name, ""))
    for path, value in inner:
        if isinstance(value, tuple):
            for entry in value:
                lines = list(_tables(entry, path))
                yield from ("", f"[[{path}]]", *lines[2:])
        else:
            yield from _tables(value, path)


def _line(key: str, value: Any, meaning: str) -> Iterator[str]:
    """``key = value  # meaning``; what has no value is a comment."""
    text = f"# {key} = " if value is None else f"{key} = {_plain(value)}"
    if not meaning:
        yield text.rstrip()
    elif len(text) + len(meaning) + 4 <= _WIDTH:
        yield f"{text}  # {meaning}"
    else:
        words, line = meaning.split(), "#"
        for word in words:
            if len(line) + len(word) + 1 > _WIDTH:
                yield line
                line = "#"
            line += f" {word}"
        yield from (line, text.rstrip())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {_plain(v)}' for k, v in value.items())}}}"
    return repr(value)


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and dataclasses.is_dataclass(value[0])


def _meaning(cls: type) -> dict[str, str]:
    """Key → text of the section ``Attributes`` of a dataclass."""
    text = (cls.__doc__ or "").partition("Attributes:")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    keys: list[str] = []
    for line in text.splitlines():
        match = re.match(r" {8}(\w[\w, ]*): (.*)", line)
        if match:
            keys = [key.strip() for key in match.group(1).split(",")]
            found |= dict.fromkeys(keys, match.group(2).strip())
        else:
            for key in keys:
                found[key] = f"{found[key]} {line.strip()}".strip()
    return {key: line.replace("``", "").replace("`", "") for key, line in found.items()}
