"""Symmetry functions made for a fit: grids, sets, and which of them are left out."""

from __future__ import annotations

import numpy as np
import pytest

from nnp.errors import OptionError
from nnp.functions import Angular, Radial, canonical_order
from nnp.train.inputs.functions import (
    AngularSettings,
    FunctionSettings,
    GeneratedFunctions,
    RadialGrid,
    RadialSettings,
    choose_functions,
)
from nnp.train.inputs.prune import PruneSettings, prune


@pytest.mark.parametrize("grid", list(RadialGrid))
def test_radial_grids(grid):
    settings = GeneratedFunctions(6.0, radial=(RadialSettings(grid, 5, 1.0),), angular=())
    found = settings.for_elements(("O", "H"))
    assert list(found) == ["H", "O"]
    assert list(found["O"]) == canonical_order(found["O"])
    own = [f for f in found["H"] if f.neighbor == "H"]
    assert len(own) == 5
    assert all(isinstance(f, Radial) and f.cutoff.radius == 6.0 for f in own)
    shifts = sorted(f.r_shift for f in own)
    assert (shifts[-1] == 0) == ("centered" in grid.value)
    if grid is RadialGrid.SHIFTED:
        np.testing.assert_allclose(shifts, [1, 2, 3, 4, 5])
        np.testing.assert_allclose([f.eta for f in own], 0.5)


def test_angular_sets():
    angular = AngularSettings(widths=(2.0,), zetas=(1.0,), cutoff=4.0, narrow=False)
    found = GeneratedFunctions(6.0, radial=(), angular=(angular,)).for_elements(("H", "O"))
    assert len(found["H"]) == 3 * 2
    assert all(isinstance(f, Angular) and f.radius == 4.0 and not f.narrow for f in found["H"])
    assert {f.eta for f in found["H"]} == {0.125}


def test_grid_beyond_the_cutoff():
    with pytest.raises(OptionError, match="not below the cutoff"):
        GeneratedFunctions(0.5).for_elements(("H",))


def test_functions_of_an_input_nn(tmp_path):
    path = tmp_path / "input.nn"
    path.write_text(
        "elements O H\ncutoff_type 2\nsymfunction_short H 2 O 0.1 0.0 6.0\n"
        "symfunction_short O 3 H H 0.1 1 4 6.0\n"
    )
    found = choose_functions(FunctionSettings(str(path), "metal"), ("H", "O"))
    assert [f.radius for f in (*found["H"], *found["O"])] == [6.0, 6.0]
    with pytest.raises(OptionError, match="no symfunction_short line for C"):
        choose_functions(FunctionSettings(str(path), "metal"), ("C",))


def columns(kind):
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 200))
    sets = {
        "constant": [a, np.full(200, 3.0), b],
        "copy": [a, b, 2 * a + 1, c],
        "sum": [a, b, a + b, c],
        "rare": [a, np.where(np.arange(200) < 2, 1.0, 0.0), b],
    }
    functions = GeneratedFunctions(radial=(RadialSettings(count=4),), angular=())
    values = np.stack(sets[kind], 1)
    return functions.for_elements(("H",))["H"][: values.shape[1]], values


def test_constant_functions_are_dropped():
    found = prune(*columns("constant"), PruneSettings("none"))
    assert found.kept.tolist() == [0, 2]
    assert found.reasons == [found.reasons[0]]
    assert "never changes" in found.reasons[0]


def test_correlated_functions_are_dropped():
    found = prune(*columns("copy"), PruneSettings("correlation"))
    assert found.kept.tolist() == [0, 1, 3]
    assert "correlation 1.000000 with radial H" in found.reasons[0]


def test_cur_keeps_what_spans_the_data():
    functions, values = columns("sum")
    found = prune(functions, values, PruneSettings("cur"))
    assert len(found.kept) == 3
    assert 3 in found.kept
    assert "of its variance" in found.reasons[0]
    assert len(prune(functions, values, PruneSettings("cur", count=2)).kept) == 2


def test_functions_of_few_atoms_are_dropped_when_asked():
    functions, values = columns("rare")
    assert len(prune(functions, values, PruneSettings("none")).kept) == 3
    found = prune(functions, values, PruneSettings("none", rarest=0.05))
    assert found.kept.tolist() == [0, 2]
    assert "lives on 1.0e-02 of the atoms" in found.reasons[0]
    with pytest.raises(OptionError, match=r"rarest = 0.05: every function lives on fewer atoms"):
        prune(functions[:1], values[:, 1:2], PruneSettings("none", rarest=0.05))
