"""CPU engines of a given instruction set, for machines that may lack it."""

from __future__ import annotations

import pytest

from nnp.engines.cpu import CpuEngine
from nnp.errors import OptionError


def engine_of(potential, target="auto", **options):
    """An engine, or a skip where the machine lacks the instructions."""
    try:
        return CpuEngine(potential, target=target, **options)
    except OptionError as error:
        if "lacks the instructions" not in str(error):
            raise
        pytest.skip(f"this machine cannot run {target}")
