"""What the CPU engine keeps between calls, and what it must not."""

from __future__ import annotations

import numpy as np
import pytest

from nnp.engines.cpu import CpuEngine
from nnp.errors import StructureError
from nnp.evaluation import NO_EXTRAPOLATIONS
from nnp.testing import structures


def test_engine_sees_what_changed_in_place(silicon):
    """Numbers, cell and periodicity are kept between calls, but not longer than they hold."""
    engine, box = CpuEngine(silicon), structures()["triclinic"]
    for change in (
        lambda: box.positions.__iadd__(np.linspace(0, 0.2, box.positions.size).reshape(-1, 3)),
        lambda: box.cell.__imul__(1.03),
        lambda: box.pbc.__setitem__(1, False),
    ):
        before = engine.compute(box).energy
        change()
        found = engine.compute(box)
        assert found.energy != before
        assert found.energy == CpuEngine(silicon).compute(box).energy
    box.atomic_numbers[0] = 8
    with pytest.raises(StructureError, match="atom 0 is O"):
        engine.compute(box)


def test_results_are_the_callers_own(silicon):
    """A later call leaves an earlier one's results as they are."""
    engine, box = CpuEngine(silicon), structures()["triclinic"]
    first = engine.compute(box, stress=True, virials=True)
    kept = [np.copy(getattr(first, name)) for name in ("energies", "forces", "stress", "virials")]
    engine.compute(box.moved(box.positions * 1.01), stress=True, virials=True)
    for name, values in zip(("energies", "forces", "stress", "virials"), kept, strict=True):
        np.testing.assert_array_equal(getattr(first, name), values)


def test_memory_that_is_not_writeable(silicon):
    box = structures()["triclinic"]
    frozen = box.moved(box.positions.copy())
    frozen.positions.flags.writeable = False
    assert CpuEngine(silicon).compute(frozen).energy == CpuEngine(silicon).compute(box).energy


def test_nothing_extrapolates_at_no_cost():
    assert len(NO_EXTRAPOLATIONS) == NO_EXTRAPOLATIONS.n_atoms == 0
    assert NO_EXTRAPOLATIONS.worst is None
