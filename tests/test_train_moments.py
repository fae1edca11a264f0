"""The family `moments` made for a fit: its functions, their contraction, smoothness, settings."""

from __future__ import annotations

import numpy as np
import pytest
from train_data import dataset

from nnp.errors import OptionError
from nnp.functions import MomentPair, MomentSum, MomentTriple
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.train.config.tables import from_table
from nnp.train.inputs.functions import FunctionSettings, GeneratedFunctions
from nnp.train.inputs.moments import GeneratedMoments
from nnp.train.inputs.products import DescriptorProducts

FREE = (np.zeros((3, 3)), np.zeros(3, bool))
SMALL = GeneratedMoments(cutoff=4.0, radial=3, angular=2, l=2)


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_few_inputs_whatever_the_number_of_elements(count):
    elements = ("H", "C", "N", "O", "Si", "Ti", "Fe", "Ni", "Cu", "Mo", "W", "Au")[:count]
    found = GeneratedMoments().for_elements(elements)
    assert {len(own) for own in found.values()} == {len(found["H"])}
    assert 70 < len(found["H"]) < 150
    for symbol in elements:
        seen = {s for f in found["H"] if isinstance(f, MomentPair) for s in f.neighbor_symbols}
        assert symbol in seen


def test_parts_of_the_set():
    own = SMALL.for_elements(("Si",))["Si"]
    counts = [
        sum(isinstance(f, kind) for f in own) for kind in (MomentSum, MomentPair, MomentTriple)
    ]
    assert counts == [3, 3 * 2, 4 + 3 * 2]  # g_k; n ≤ n' times l; (2,2,2), (1,1,2)
    flat = GeneratedMoments(radial=3, angular=2, l=2, four_body=False).for_elements(("Si",))["Si"]
    assert len(flat) == 9


def test_contraction_by_the_data():
    """g_n of the 3-body part have variance 1 and are uncorrelated over the data."""
    structures = [frame.structure for frame in dataset(("H", "O"), count=4)]
    own = SMALL.for_elements(("H", "O"), structures)["O"]
    (series,) = {f.series for f in own if isinstance(f, MomentPair)}
    numbers = ((0, 0), (0, 1), (1, 1))
    pairs = tuple(MomentPair(series, 1.0, *n, degree) for degree in (1, 2) for n in numbers)
    products = DescriptorProducts({"H": pairs, "O": pairs})
    values = [products.descriptors(products.place(s))[1].sum(0).numpy() for s in structures]
    spread = np.sum(values, axis=0).reshape(2, 3).sum(axis=0)
    np.testing.assert_allclose(spread, [1, 0, 1], atol=1e-10)
    without_data = SMALL.for_elements(("H", "O"))["O"]
    assert [f.numbers for f in without_data] == [f.numbers for f in own]
    assert without_data != own


def sum_of(functions):
    """E = Σ functions of one element."""
    n = len(functions)
    zeros, ones = np.zeros(n), np.ones(n)
    network = Network((np.ones((n, 1)),), (np.zeros(1),), (Activation.IDENTITY,))
    scaling = Scaling(zeros, ones, zeros, ones, ScalingMode.NONE)
    return Potential((ElementModel("Si", functions, scaling, network),))


def test_second_derivatives_are_continuous_at_the_cutoff():
    """E ~ (r_c − r)³: the force falls with the square of the distance to the cutoff."""
    potential = sum_of(SMALL.for_elements(("Si",))["Si"])

    def force(gap):
        atoms = Structure(np.array([[0, 0, 0], [0, 0, 4.0 - gap]]), np.array([14, 14]), *FREE)
        return potential.evaluate(atoms, "reference").forces[1, 2]

    assert abs(force(0.5)) > 1e-2
    assert force(2e-3) / force(1e-3) == pytest.approx(4, rel=0.02)


def test_family_of_the_settings():
    table = {"generate": {"family": "moments", "cutoff": 6, "radial": 8, "l": 4, "four_body": True}}
    assert from_table(FunctionSettings, table, "functions").generate == GeneratedMoments()
    assert isinstance(from_table(FunctionSettings, {}, "functions").generate, GeneratedFunctions)
    behler = {"generate": {"family": "behler", "cutoff": 5.0}}
    assert from_table(FunctionSettings, behler, "functions").generate == GeneratedFunctions(5.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"family": "moment"}, "functions.generate.family = 'moment': did you mean 'moments'"),
        ({"family": 3}, "functions.generate.family = 3 must be text"),
        ({"family": "moments", "angular": [{}]}, "functions.generate.angular = .* whole number"),
        ({"family": "moments", "l": 9}, "l = 9: 1 to 8"),
        ({"family": "moments", "l": 1}, "four_body = true with l = 1"),
        ({"family": "moments", "cutoff": -1.0}, "cutoff = -1.0: a positive number"),
        ({"family": "moments", "radial": 4}, "radial = 4, angular = 5, four_body_radial = 2"),
        ({"radial": 8}, r"functions.generate.radial\[0\]\] must be a table"),
    ],
)
def test_refused_settings(table, message):
    with pytest.raises(OptionError, match=message):
        from_table(FunctionSettings, {"generate": table}, "functions")
