"""ænet's files written by us: the same bytes, the same energies, what they cannot hold."""

from __future__ import annotations

from dataclasses import replace

import aenet_files
import numpy as np
import pytest
from test_aenet import CLUSTER, write_folder

import nnp
from nnp.cli import main
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError, OutputExistsError
from nnp.io import aenet
from nnp.io.aenet.binary import binary_of, read_binary
from nnp.io.aenet.text import read_text, text_of
from nnp.networks import Activation
from nnp.scaling import ScalingMode
from nnp.testing import random_potential

CHEBYSHEV = aenet_files.chebyshev_record


@pytest.fixture(params=["behler", "chebyshev"])
def folder(request, tmp_path):
    record = aenet_files.record if request.param == "behler" else CHEBYSHEV
    return write_folder(tmp_path / "original", record=record)


def test_bytes_of_every_record(folder, reference_data):
    """A file that is read and written is the same, to the last byte."""
    cases = (reference_data / "aenet").glob("*-*/*.nn")
    for path in [*folder.glob("*.nn"), *cases]:
        assert binary_of(read_binary(path)) == path.read_bytes(), path


def test_text_of_every_record(folder, tmp_path):
    for path in folder.glob("*.nn"):
        record = read_binary(path)
        (tmp_path / "x.nn.ascii").write_text(text_of(record))
        again = read_text(tmp_path / "x.nn.ascii")
        assert binary_of(again) == binary_of(replace(record, path=again.path))


@pytest.mark.parametrize("text", [False, True])
def test_round_trip(folder, tmp_path, text):
    potential = nnp.load(folder)
    wanted = potential.evaluate(CLUSTER)
    potential.save(tmp_path / "model.nnp")  # what the files say beside it travels along
    aenet.write(nnp.load(tmp_path / "model.nnp"), tmp_path / "again", text)
    again = nnp.load(tmp_path / "again")
    found = again.evaluate(CLUSTER)
    assert found.energy == pytest.approx(wanted.energy, rel=1e-13)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-12)
    first, second = (p.provenance["files"]["O"] for p in (potential, again))
    assert first["atomic_energy"] == second["atomic_energy"] == aenet_files.ENERGIES[0]
    assert first == second | {"r_max": first["r_max"], "normalized": True}
    with pytest.raises(OutputExistsError, match="exists"):
        aenet.write(potential, tmp_path / "again", text)


@pytest.mark.parametrize("mode", list(ScalingMode))
def test_any_scaling(folder, tmp_path, mode):
    """Means far above the widths, and one that never changed."""
    potential = nnp.load(folder)
    model = potential.models[0]
    scaling = model.scaling
    mean = 1e4 * scaling.mean
    changed = replace(
        model,
        scaling=replace(
            scaling, minimum=mean - 1, maximum=mean + 2, mean=mean, mode=mode, target_min=-1.0
        ),
        network=replace(
            model.network, weights=(model.network.weights[0] * 1e-4, *model.network.weights[1:])
        ),
    )
    potential = replace(potential, models=(changed, *potential.models[1:]), energy_scale=0.3)
    aenet.write(potential, tmp_path / "again")
    again = nnp.load(tmp_path / "again")
    wanted, found = potential.evaluate(CLUSTER), again.evaluate(CLUSTER)
    assert found.energy == pytest.approx(wanted.energy, rel=1e-11)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-10)


def test_the_command(folder, tmp_path, capsys):
    wanted = nnp.load(folder).evaluate(CLUSTER).energy
    assert main(["convert", str(folder), str(tmp_path / "new"), "--to", "aenet"]) == 0
    assert "O.nn, Ti.nn of ænet" in capsys.readouterr().out
    assert nnp.load(tmp_path / "new").evaluate(CLUSTER).energy == pytest.approx(wanted, rel=1e-13)
    again = ["convert", str(folder), str(tmp_path / "new"), "--to", "aenet"]
    assert main(again) != 0
    assert main([*again, "--force"]) == 0
    text = [
        "convert",
        str(folder),
        str(tmp_path / "text"),
        "--to",
        "aenet-text",
        "--legacy-angle",
        "no",
    ]
    assert main(text) == 0
    assert (tmp_path / "text" / "Ti.nn.ascii").is_file()


def test_a_basis_with_functions_left_out(tmp_path):
    """As pruning leaves it: the file has the whole basis, with weights of zero."""
    potential = nnp.load(write_folder(tmp_path / "p", record=CHEBYSHEV))

    def pruned(model):
        kept = [k for k in range(len(model.functions)) if k % 4]
        columns = {
            n: getattr(model.scaling, n)[kept] for n in ("minimum", "maximum", "mean", "sigma")
        }
        first, *rest = model.network.weights
        return replace(
            model,
            functions=tuple(model.functions[k] for k in kept),
            scaling=replace(model.scaling, **columns),
            network=replace(model.network, weights=(first[kept], *rest)),
        )

    potential = replace(potential, models=tuple(map(pruned, potential.models)))
    aenet.write(potential, tmp_path / "again")
    again = nnp.load(tmp_path / "again", legacy_angle=False)
    assert len(again.models[0].functions) > len(potential.models[0].functions)
    wanted, found = potential.evaluate(CLUSTER), again.evaluate(CLUSTER)
    assert found.energy == pytest.approx(wanted.energy, rel=1e-12)
    np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-11)


def test_what_they_cannot_hold(tmp_path):
    potential = nnp.load(write_folder(tmp_path / "p"))
    model = potential.models[0]

    def written(**changes):
        other = replace(model, **changes)
        aenet.write(replace(potential, models=(other, *potential.models[1:])), tmp_path / "q")

    activations = (Activation.SOFTPLUS, *model.network.activations[1:])
    with pytest.raises(OptionError, match="softplus neurons, which ænet does not have"):
        written(network=replace(model.network, activations=activations))
    soft = Cutoff(CutoffKind.POLY2, 5.0)
    with pytest.raises(OptionError, match="O: ænet has no function such as"):
        written(functions=tuple(replace(f, cutoff=soft) for f in model.functions))
    with pytest.raises(OptionError, match="ænet has no committees"):
        aenet.write(nnp.Committee.of([potential, potential]), tmp_path / "q")
    old = nnp.load(write_folder(tmp_path / "old", record=CHEBYSHEV), legacy_angle=True)
    with pytest.raises(OptionError, match=r"that of ænet 2\.0\.0 to 2\.0\.3"):
        aenet.write(old, tmp_path / "q")
    with pytest.raises(OptionError, match="ænet has no function such as"):
        aenet.write(random_potential(("Si",)), tmp_path / "q")
    assert not (tmp_path / "q").exists()
