"""Structures, potentials and known answers that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from nnp.testing import random_potential, structures

try:
    import torch
except ImportError:
    pass
else:
    # Small arrays: more threads only wait for one another, for seconds where other programs run.
    torch.set_num_threads(1)


# The same cases in every run: a failure is found by the change that made it. For a search with new
# ones: pytest --hypothesis-profile=default
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real potentials with known answers, which is not part of the repository."""
    folder = os.environ.get("NNP_REFERENCE_DATA")
    if not folder:
        pytest.skip("NNP_REFERENCE_DATA is unset: no real potentials to check against")
    return Path(folder).resolve(strict=True)


@pytest.fixture(scope="session")
def silicon():
    """A random one-element potential with functions of every family."""
    return random_potential(("Si",), seed=1)


@pytest.fixture(scope="session")
def binary():
    """A random two-element potential with functions of every family."""
    return random_potential(("H", "O"), seed=2)


@pytest.fixture(params=sorted(structures()))
def structure(request):
    """Each structure of `nnp.testing.structures`, of silicon."""
    return structures(("Si",))[request.param]


@pytest.fixture(params=sorted(structures()))
def binary_structure(request):
    """Each structure of `nnp.testing.structures`, of hydrogen and oxygen."""
    return structures(("H", "O"))[request.param]
