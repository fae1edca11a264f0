"""What ``--help`` looks like: one line of usage, defaults as one types them, words kept whole."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

_WIDEST = 100  # columns; longer lines are hard to read
_INDENT = 26  # columns before the explanations


class HelpFormatter(argparse.HelpFormatter):
    """Adds defaults that say something, in the words of the command line."""

    def __init__(self, prog: str, **options: Any) -> None:
        columns = options.pop("width", None) or shutil.get_terminal_size().columns - 2
        super().__init__(prog, max_help_position=_INDENT, width=min(columns, _WIDEST), **options)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help or ""
        said = as_typed(action.default)
        if not said or "(default" in text or not (action.option_strings or action.nargs == "?"):
            return text
        return f"{text} (default: {said.replace('%', '%%')})"

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """``--types, --elements SYMBOLS``: the value once."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        """``N …`` for any number, not ``N [N ...]``."""
        text = super()._format_args(action, default_metavar)
        if action.nargs in ("+", "*"):
            first, *rest = self._metavar_formatter(action, default_metavar)(2)
            text = f"{first} [{rest[0]} …]" if first != rest[0] else f"{first} …"
        return text if action.nargs != "*" or not action.option_strings else f"[{text}]"

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in _wrapped(text, width - len(indent)))


def usage_of(parser: argparse.ArgumentParser, actions: Iterable[argparse.Action]) -> str:
    """Without the options, which the help lists: ``nnp md [OPTIONS] PATH [STRUCTURE]``."""
    words = [parser.prog, "[OPTIONS]"]
    for action in actions:
        if action.option_strings:
            continue
        name = str(action.metavar)
        many = f"{name} …" if action.nargs == "+" else name
        words.append(f"[{name}]" if action.nargs == "?" else many)
    return " ".join(words)


def as_typed(value: object) -> str:
    """A default as it would be given; empty where there is nothing to give.

    >>> as_typed([1, 1, 1]), as_typed(300.0), as_typed(False), as_typed(())
    ('1 1 1', '300', '', '')
    """
    if value is None or value is argparse.SUPPRESS or isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(as_typed(one) for one in value)
    return str(value)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words; those with a hyphen too, which may be options."""
    return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
