"""ænet's Chebyshev basis: sums over pairs by hand, engines, which angle, what is refused."""

from __future__ import annotations

from dataclasses import replace

import aenet_files
import numpy as np
import pytest
from ase import Atoms
from test_aenet import CLUSTER, write_folder

import nnp
from nnp.engines.cpu import CpuEngine
from nnp.errors import FileFormatError, OptionError, UnavailableError
from nnp.functions import MomentChebyshev
from nnp.functions.chebyshev import ChebyshevSetup, setup_of
from nnp.testing import assert_engines_agree, random_structure
from nnp.train.config.tables import from_table
from nnp.train.inputs.functions import FunctionSettings


def folder(path, form=None, **options):
    changes = {
        name: options.pop(name) for name in list(options) if name[0] == "r" and name != "radial"
    }

    def record(element, number):
        return aenet_files.chebyshev_record(element, number, **options)

    return write_folder(path, form, record, **changes)


def by_hand(atoms, setup, weight):
    """(n, functions) of one block: ænet's sums over neighbours and over pairs of them."""
    vectors = atoms.positions[None] - atoms.positions[:, None]
    rows = []
    for i in range(len(atoms)):
        others = [j for j in range(len(atoms)) if j != i]
        r = np.linalg.norm(vectors[i, others], axis=1)
        s = np.array([weight[atoms.symbols[j]] for j in others])

        def cutoff(radius, r=r):
            return np.where(r < radius, 0.5 * (np.cos(np.pi * r / radius) + 1), 0)

        x = 2 * np.minimum(r / setup.radial_cutoff, 1) - 1
        own = [
            (s * cutoff(setup.radial_cutoff) * np.cos(n * np.arccos(x))).sum()
            for n in range(setup.radial + 1)
        ]
        f = s * cutoff(setup.angular_cutoff)
        unit = vectors[i, others] / r[:, None]
        j, k = np.triu_indices(len(others), 1)
        cosine = np.clip((unit[j] * unit[k]).sum(1), -1, 1)
        x = (2 * cosine - np.pi) / np.pi if setup.legacy else cosine
        for n in range(setup.angular + 1):
            polynomial = np.polynomial.chebyshev.chebval(x, np.eye(n + 1)[n])
            own.append((f[j] * f[k] * polynomial).sum())
        rows.append(own)
    return np.array(rows)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("angular", [3, 10, 20])
def test_sums_over_pairs(tmp_path, angular, engine, legacy):
    rng = np.random.default_rng(1)
    atoms = Atoms("O3Ti4", positions=rng.uniform(0, 3.2, (7, 3)))
    potential = nnp.load(folder(tmp_path / "p", angular=angular), legacy_angle=legacy)
    setup = ChebyshevSetup(("O", "Ti"), 5.0, 3, 4.0, angular, legacy)
    place = [potential.models[0].functions.index(f) for f in setup.functions(potential.elements)]
    found = np.array(potential.descriptors(atoms, engine=engine))[:, place]
    plain = by_hand(atoms, setup, {"O": 1.0, "Ti": 1.0})
    weighted = by_hand(atoms, setup, {"O": -1.0, "Ti": 1.0})
    expected = np.hstack([plain, weighted])
    scale = np.abs(expected).max(axis=0)  # the old angle's T_20 reaches 1e9
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=2e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_engines_agree(tmp_path, dtype):
    pytest.importorskip("torch")
    potential = nnp.load(folder(tmp_path / "p"))
    box = random_structure(("O", "Ti"), 16, seed=2)
    assert_engines_agree(potential, box, "cpu", dtype)
    engine, rng = CpuEngine(potential), np.random.default_rng(3)
    weights = rng.normal(size=np.concatenate(engine.descriptors(box)).shape)
    direction = rng.normal(size=box.positions.shape)
    gradient, _ = engine.descriptor_vjp(box, weights, strain=True)
    change = engine.descriptor_jvp(box, direction)
    np.testing.assert_allclose(weights @ change, np.vdot(gradient, direction), rtol=1e-11)


def test_the_angle_by_the_statistics(tmp_path):
    def legacy(name, **options):
        potential = nnp.load(folder(tmp_path / name, **options))
        return next(
            f for f in potential.models[0].functions if isinstance(f, MomentChebyshev)
        ).legacy

    mean = aenet_files.chebyshev_record("O")[25]
    assert not legacy("new")
    assert legacy("highest", r24=mean + np.where(np.arange(len(mean)) == 7, 5, 0.5))
    assert legacy("lowest", r23=mean - np.where(np.arange(len(mean)) == 7, 5, 0.5))
    assert not legacy("weighted", r24=mean + np.where(np.arange(len(mean)) == 16, 5, 0.5))
    assert not legacy("no angle", angular=0)
    for name, options in {"linear": {"angular": 1}, "unknown": {"r23": mean, "r24": mean}}.items():
        path = folder(tmp_path / name, **options)
        with pytest.raises(OptionError, match=r"legacy_angle=False\) is for 2\.0\.4"):
            nnp.load(path)
        first, second = (nnp.load(path, legacy_angle=old).evaluate(CLUSTER) for old in (0, 1))
        assert abs(first.energy - second.energy) > 1e-3


def test_places_of_placeholders_do_not_extrapolate(tmp_path):
    zeros = np.zeros_like(aenet_files.chebyshev_record("O")[25])
    path = folder(tmp_path / "p", r23=zeros, r24=zeros)
    assert nnp.load(path, legacy_angle=False).evaluate(CLUSTER).extrapolations.n_atoms == 0


def test_what_it_comes_from_is_found_again():
    for elements in (("Ti",), ("O", "Ti"), ("Ti", "O", "H"), ("H", "O", "C", "N")):
        setup = ChebyshevSetup(elements, 5.0, 3, 4.5, 2)
        made = setup.functions(elements)
        assert setup_of(made, elements, "Ti") == setup
        assert setup_of(made[1:], elements, "Ti") == setup
        assert setup_of([replace(made[0], coefficient=1.0), *made], elements, "Ti") is None
    weights = [ChebyshevSetup(tuple("HCNOF"[:n]), 1, 1, 1, 1).weights.values() for n in range(1, 6)]
    expected = [[], [-1, 1], [-1, 0, 1], [-2, -1, 1, 2], [-2, -1, 0, 1, 2]]
    assert [list(own) for own in weights] == expected


def test_one_element_of_env_sees_all(tmp_path):
    potential = nnp.load(
        folder(
            tmp_path / "p", r13=("O",), r12=1, types=("Ti",), r31=2, r32=("O", "Ti"), r33=(0.0, 0.0)
        )
    )
    assert potential.models[0].functions[0].neighbor_symbols == ("O", "Ti")


def test_refusals(tmp_path):
    path = folder(tmp_path / "a")
    three = ("O", "Ti", "H")
    items = aenet_files.chebyshev_record("H", types=three) | {33: np.zeros(3)}
    (path / "H.nn").write_bytes(aenet_files.binary(items))
    with pytest.raises(FileFormatError, match=r"O\.nn.*lacks H, for which there is a file too"):
        nnp.load(path)
    with pytest.raises(FileFormatError, match="angular order 21 of a Chebyshev basis: 0 to 20"):
        nnp.load(folder(tmp_path / "b", angular=21))
    with pytest.warns(UserWarning, match=r"angular cutoff \(6 Å\) is beyond its radial one"):
        nnp.load(folder(tmp_path / "c", cutoffs=(5.0, 6.0)))
    nnp.load(folder(tmp_path / "d")).save(tmp_path / "d.nnp")
    with pytest.raises(OptionError, match="which is not an ænet potential"):
        nnp.load(tmp_path / "d.nnp", legacy_angle=True)


# PoCL's compiler: "use of logical '&&' with constant operand", where a count stands for a flag
@pytest.mark.filterwarnings("ignore:Non-empty compiler output")
def test_gpu_kernels(tmp_path):
    pytest.importorskip("pyopencl")
    potential = nnp.load(folder(tmp_path / "p"))
    wanted, found = (potential.evaluate(CLUSTER, engine) for engine in ("cpu", "opencl"))
    assert found.energy == pytest.approx(wanted.energy, rel=1e-12)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-11)
    high = nnp.load(folder(tmp_path / "high", angular=9))
    with pytest.raises(UnavailableError, match="moments up to l = 8"):
        high.evaluate(CLUSTER, "opencl")


def test_torchscript(tmp_path):
    torch = pytest.importorskip("torch")
    from nnp.openmm.torchscript import scripted
    from nnp.torchscript import PortableModel

    potential = nnp.load(folder(tmp_path / "p"))
    elements = torch.tensor([potential.elements.index(s) for s in CLUSTER.symbols])
    module = scripted(PortableModel(potential, elements))
    energy, forces = module(torch.from_numpy(CLUSTER.positions), torch.eye(3).double(), False)
    wanted = potential.evaluate(CLUSTER)
    assert float(energy) == pytest.approx(wanted.energy, rel=1e-12)
    np.testing.assert_allclose(forces.numpy(), wanted.forces, atol=1e-11)


def test_generated_for_a_fit():
    table = {"generate": {"family": "chebyshev", "cutoff": 5.0, "radial": 3, "angular": 2}}
    settings = from_table(FunctionSettings, table, "functions").generate
    made = settings.for_elements(("Ti", "O"))
    assert list(made) == ["O", "Ti"]
    setup = ChebyshevSetup(("O", "Ti"), 5.0, 3, 5.0, 2)
    assert set(made["O"]) == set(setup.functions(("O", "Ti")))
    other = replace(settings, environment=("Ti", "O"), angular_cutoff=4.0)
    assert setup_of(other.for_elements(("O", "Ti"))["O"], ("O", "Ti"), "O").weights["O"] == 1
    with pytest.raises(OptionError, match="the data has O, Ti"):
        replace(settings, environment=("Ti", "H")).for_elements(("O", "Ti"))
    with pytest.raises(OptionError, match="angular order 30 of a Chebyshev basis: 0 to 20"):
        replace(settings, angular=30)
