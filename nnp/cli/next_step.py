"""What people usually do next: a command that works as it is printed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_WIDTH = 80
_BEGIN = "next: "


def next_step(words: Sequence[str]) -> str:
    """One line, or lines that a shell joins where it is wider than a terminal.

    >>> next_step(["nnp", "analyse", "my run.extxyz"])
    "next: nnp analyse 'my run.extxyz'"
    """
    lines = [_BEGIN]
    for number, word in enumerate(map(shlex.quote, words)):
        blank = " " if number else ""
        if number and len(lines[-1]) + len(word) + len(" \\") > _WIDTH - 1:
            lines[-1] += " \\"
            lines.append(" " * len(_BEGIN))
            blank = ""
        lines[-1] += blank + word
    return "\n".join(lines)
