"""Check of a commit message: ``pre-commit`` gives its file; the rules are in CONTRIBUTING.md."""

from __future__ import annotations

import sys
from pathlib import Path

LONGEST_SUBJECT, LONGEST_LINE = 72, 100


def complaints(message: str) -> list[str]:
    r"""What is wrong with a message.

    >>> complaints("Read blank lines.")
    ['the subject ends with a full stop']
    >>> complaints("Read blank lines\n\nThey ended the reader.")
    []
    """
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject, *rest = lines or [""]
    found = []
    if not subject.strip():
        found.append("there is no subject")
    if len(subject) > LONGEST_SUBJECT:
        found.append(f"the subject has {len(subject)} characters: at most {LONGEST_SUBJECT}")
    if subject.endswith("."):
        found.append("the subject ends with a full stop")
    if rest and rest[0].strip():
        found.append("the second line is not blank")
    if any(len(line) > LONGEST_LINE for line in rest):
        found.append(f"a line of the body has more than {LONGEST_LINE} characters")
    return found


if __name__ == "__main__":
    found = complaints(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.exit("\n".join(f"commit message: {line}" for line in found) or 0)
