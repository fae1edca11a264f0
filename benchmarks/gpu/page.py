"""One page of all JSON files of a measurement: python page.py OUT."""

from __future__ import annotations

import html
import json
import sys
from pathlib import Path
from typing import Any

_STYLE = "body{font:15px sans-serif;max-width:70em;margin:2em auto}"
_STYLE += "td,th{padding:2px 10px;text-align:right}"
_STYLE += (
    "td:first-child,th:first-child{text-align:left}.bad{color:#b00}pre{background:#eee;padding:1em}"
)


def draw(folder: Path) -> Path:
    """index.html out of all JSON files of the folder, in the order they were written."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    parts = [_part(json.loads(path.read_text())) for path in files]
    text = f"<!doctype html><meta charset=utf-8><title>nnp on a GPU</title><style>{_STYLE}</style>"
    text += "<h1>nnp on a GPU</h1>" + "\n".join(parts)
    page = folder / "index.html"
    page.write_text(text)
    return page


def _part(found: dict[str, Any]) -> str:
    result = found.get("result", {})
    head = f"<h2>{html.escape(found['part'])}</h2><p>{found['seconds']} s"
    if found["code"]:
        head += f" <b class=bad>failed ({found['code']})</b>"
    if result.get("skipped"):
        head += f" skipped: {html.escape(result['skipped'])}"
    head += "</p>" + _facts(result) + _table(result.get("rows", []))
    if found.get("output"):
        head += f"<pre>{html.escape(found['output'][-3000:])}</pre>"
    return head


def _facts(result: dict[str, Any]) -> str:
    """What is not a table."""
    names = [name for name in result if name not in {"rows", "skipped"}]
    items = [f"<li>{html.escape(n)}: {html.escape(_text(result[n]))}</li>" for n in names]
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = ""
    for row in rows:
        bad = " class=bad" if row.get("ok") is False else ""
        cells = "".join(f"<td>{html.escape(_text(row.get(name, '')))}</td>" for name in names)
        body += f"<tr{bad}>{cells}</tr>"
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
