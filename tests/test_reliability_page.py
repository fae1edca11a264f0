"""The page of promises names tests that are there, and the figures of a run of all kinds."""

from __future__ import annotations

import re
from pathlib import Path

import fuzz_kinds
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def promised():
    """(file, test) of each test that the page names; a name alone is of the file before it."""
    for line in PAGE.splitlines():
        file = None
        for word in re.findall(r"`([^`]+)`", line):
            if found := re.fullmatch(r"(test_\w+\.py)::(test_\w+)", word):
                file = found[1]
                yield found[1], found[2]
            elif file and re.fullmatch(r"test_\w+", word):
                yield file, word


PROMISED = sorted(set(promised()))


def test_the_page_has_promises():
    assert len(PROMISED) > 30


@pytest.mark.parametrize(("file", "test"), PROMISED)
def test_each_promise_has_its_test(file, test):
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test}\(", text, re.MULTILINE)


def test_figures_of_every_kind():
    rows = dict(re.findall(r"^\| ([^|]+) \| \d+ \| \d+ \| \d+ \| (\d+) \|$", PAGE, re.MULTILINE))
    assert set(fuzz_kinds.KINDS) <= set(rows)
    assert {int(faults) for faults in rows.values()} == {0}
