"""Hooks of mkdocs: tables from the code, folders in the menu, links to files outside the manual.

A page says ``<!-- enum nnp/cutoffs.py CutoffKind -->`` for the members of an enumeration with their
comments, ``<!-- families -->`` for the families of functions with their own documentation.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

from nnp import functions

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)#]*)(#[^)]*)?\)")
_MEMBER = re.compile(r"^    (\w+) = (\S+)  # (.*)$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """The menu, in which a folder stands for its pages: ``decisions/``."""
    config["nav"] = [_in_menu(entry) for entry in config["nav"]]
    return config


def _in_menu(entry: Any) -> Any:
    """README.md first, as overview, the others by name."""
    if isinstance(entry, dict):
        return {title: _in_menu(inside) for title, inside in entry.items()}
    if isinstance(entry, list):
        return [_in_menu(inside) for inside in entry]
    if not entry.endswith("/"):
        return entry
    pages = sorted(page.name for page in (ROOT / "docs" / entry).glob("*.md"))
    return [{"Overview": entry + "README.md"}] + [entry + p for p in pages if p != "README.md"]


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """What mkdocs renders."""
    markdown = re.sub(r"<!-- enum (\S+) (\w+) -->", lambda m: enum_table(m[1], m[2]), markdown)
    markdown = markdown.replace("<!-- families -->", families())
    return _LINK.sub(lambda m: _link(m, Path(page.file.src_path).parent), markdown)


def enum_table(file: str, name: str) -> str:
    """Members of an enumeration: name, value, the comment behind it."""
    text = (ROOT / file).read_text(encoding="utf-8")
    body = text[text.find(f"class {name}(") :]
    body = body[: end.start()] if (end := re.search(r"\n\n\n", body)) else body
    found = _MEMBER.findall(body) if f"class {name}(" in text else []
    if not found:
        raise ValueError(f"{file} has no members of {name} with comments")
    rows = [f"| `{m}` | {v.strip(chr(34))} | {_cell(comment)} |" for m, v, comment in found]
    return "\n".join(["| name | number or letter | formula |", "|---|---|---|", *rows])


def families() -> str:
    """A section per family, in the order of their numbers, those without one last."""
    public = [getattr(functions, name) for name in functions.__all__]
    classes = [c for c in public if inspect.isclass(c) and not inspect.isabstract(c)]
    chosen = [c for c in classes if isinstance(vars(c).get("number"), int)]
    return "\n\n".join(_family(c) for c in sorted(chosen, key=lambda c: c.number or 1000))


def _family(family: Any) -> str:
    summary, *rest = inspect.cleandoc(family.__doc__).split("\n\n")
    text = [f"### {family.__name__}", "", _cell(summary.replace("\n", " "))]
    for part in rest:
        if part.startswith(">>>"):
            continue
        if part.startswith("Attributes:"):
            lines = re.sub(r"\n {8,}", " ", part).splitlines()[1:]
            text += ["", *(f"- `{n.strip()}`:{t}" for n, _, t in (x.partition(":") for x in lines))]
        else:
            text += ["", part]
    types = getattr(family, "n2p2_types", ())
    if not family.number:
        text += ["", 'Not in C: `engine="reference"` only; n2p2 has no such function.']
    elif types:
        word = "type" if len(types) == 1 else "types"
        text += ["", f"n2p2's {word} {', '.join(map(str, types))}; number {family.number} in C."]
    else:
        text += ["", f"Number {family.number} in C; n2p2 has no such function."]
    return "\n".join(text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def _link(found: re.Match[str], folder: Path) -> str:
    """Within the manual as it is; to a file of the repository: its path."""
    text, target = found[1], found[2]
    path = os.path.normpath(Path("docs") / folder / target)
    if path.startswith("docs/"):
        return found[0]
    if not (ROOT / path).exists():
        raise ValueError(f"docs/{folder}: {target} is not there")
    return text if path in text else f"{text} (`{path}`)"
