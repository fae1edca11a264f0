"""What ``nnp info`` says of the settings of a fit: data, functions, loss, optimiser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_NAMED = 3  # files that are listed, beyond which they are counted

Table = Mapping[str, Any]


def fit_settings(settings: Table) -> Iterator[tuple[str, str]]:
    """Rows of a potential's ``settings``; a file may hold any version's, so none is expected.

    >>> tables = {"data": {"train": "a.xyz"}, "loss": {"energy": 100.0, "stress": 0.0}}
    >>> list(fit_settings(tables))
    [('data', 'a.xyz'), ('loss', 'energy 100')]
    """
    data, loss = _table(settings, "data"), _table(settings, "loss")
    run, optimizer = _table(settings, "run"), _table(settings, "optimizer")
    weights = [f"{n} {loss[n]:g}" for n in ("energy", "forces", "stress") if _positive(loss.get(n))]
    epochs = run.get("epochs")
    steps = [optimizer.get("kind"), f"{epochs} epochs" if epochs else None]
    rows = {
        "data": _names(data.get("train")),
        "validation": _names(data.get("validation")),
        "functions": _functions(_table(settings, "functions")),
        "loss": ", ".join(weights),
        "optimizer": ", ".join(str(text) for text in steps if text),
    }
    yield from ((name, text) for name, text in rows.items() if text)


def _functions(functions: Table) -> str:
    """Where they are from, or which were made."""
    for key in ("file", "nep"):
        if functions.get(key):
            return f"those of {functions[key]}"
    made = _table(functions, "generate")
    cutoff = made.get("cutoff")
    parts = [made.get("family"), f"cutoff {cutoff:g} Å" if _positive(cutoff) else None]
    return ", ".join(str(part) for part in parts if part)


def _names(files: object) -> str:
    listed = files if isinstance(files, list | tuple) else [files] if isinstance(files, str) else []
    names = list(dict.fromkeys(map(str, listed)))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def _table(settings: Table, name: str) -> Table:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}
