"""Plain text tables."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Columns as wide as their widest cell; numbers to the right, words to the left.

    Args:
        header: names of the columns.
        rows: cells; columns that are empty in every row are left out.
        indent: before each line.

    >>> print(text_table(["who", "n", "none"], [["Si", "1", ""], ["C", "12", ""]]))
      who   n
      Si    1
      C    12
    """
    kept = [c for c in range(len(header)) if any(row[c] for row in rows)]
    lines = [[row[c] for c in kept] for row in (header, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    right = [all(_is_number(row[c]) for row in rows) for c in kept]
    return "\n".join(
        (
            indent
            + "  ".join(
                cell.rjust(width) if to_right else cell.ljust(width)
                for cell, width, to_right in zip(line, widths, right, strict=True)
            )
        ).rstrip()
        for line in lines
    )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as Markdown.

    >>> print(markdown_table(["who", "n"], [["Si", "1"]]))
    | who | n |
    |---|---|
    | Si | 1 |
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])


def _is_number(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return False
    return True
