"""Where a run begins: repeated cells."""

import pytest
from ase.build import bulk

from nnp.errors import OptionError
from nnp.md import start


def test_more_atoms_than_memory_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(start, "available_memory", lambda: 10**9)
    assert len(start.repeated(bulk("Si", cubic=True), (10, 10, 10))) == 8000
    with pytest.raises(
        OptionError, match=r"repeat=\[100, 100, 100\]: 8,000,000 atoms .* 1 GB are free"
    ):
        start.repeated(bulk("Si", cubic=True), (100, 100, 100))
