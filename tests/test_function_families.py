"""Families of symmetry functions: one table for C and Python, and a door for other packages."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

import nnp
from nnp.errors import FileFormatError, OptionError, UnavailableError
from nnp.functions import BY_N2P2_TYPE, OWN, Radial, canonical_order, family_named
from nnp.io.n2p2.functions import write_function
from nnp.networks import Network
from nnp.scaling import Scaling, ScalingMode
from nnp.testing import assert_forces_match_energy, check_engine, random_functions
from nnp.testing.structures import structures

# Σ_j (r / r_s)² e^{−r / r_s} f_c: a hydrogen-like 2s shell, which nobody has.
TOY = '''
    """A family of another package: one file, reference engine only."""

    from __future__ import annotations

    from dataclasses import dataclass

    from nnp.cutoffs import Cutoff
    from nnp.functions import OneNeighbor, WithCutoff


    @dataclass(frozen=True)
    class Shell(OneNeighbor, WithCutoff):
        neighbor: str | None
        r_shift: float
        cutoff: Cutoff

        name = "shell"

        @classmethod
        def terms(cls):
            import torch

            from nnp.functions.torch_terms import PairTerms

            class ShellTerms(PairTerms):
                def forward(self, r: torch.Tensor) -> torch.Tensor:
                    x = r / self.r_shift
                    return x * x * torch.exp(-x) * self.f_c(r)

            return ShellTerms

        def sort_key(self):
            return (*self.cutoff_key, self.r_shift)

        def parameter_text(self):
            return f"r_shift={self.r_shift:g} r_c={self.radius:g}"


    def no_class():
        return None
'''


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """The family of a package on the path."""
    about = tmp_path / "nnp_toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nnp-toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[nnp.functions]\nShell = nnp_toy_functions:Shell\nBroken = nnp_toy_nowhere:Shell\n"
        "Function = nnp_toy_functions:no_class\n"
    )
    (tmp_path / "nnp_toy_functions.py").write_text(dedent(TOY))
    monkeypatch.syspath_prepend(tmp_path)
    return family_named("Shell")


def with_shells(shell):
    """A potential with functions of that family beside ours."""
    rng = np.random.default_rng(5)
    own = random_functions(("Si",), rng, ("radial", "angular_wide"))
    cutoff = own[0].cutoff
    functions = canonical_order([*own, shell("Si", 0.8, cutoff), shell(None, 1.3, cutoff)])
    n = len(functions)
    network = Network(
        (rng.normal(0, 0.4, (n, 5)), rng.normal(0, 0.4, (5, 1))),
        (rng.normal(size=5), rng.normal(size=1)),
        ("t", "l"),
    )
    scaling = Scaling(np.zeros(n), np.ones(n), 0.5 * np.ones(n), np.ones(n), ScalingMode.NONE)
    model = nnp.ElementModel("Si", tuple(functions), scaling, network)
    return nnp.Potential((model,))


def test_a_family_of_another_package(shell, tmp_path):
    potential = with_shells(shell)
    assert [type(f).__name__ for f in potential.models[0].functions][-2:] == ["Shell", "Shell"]
    structure = structures(("Si",))["molecule"]
    check_engine(potential.make_engine("reference"))
    assert_forces_match_energy(potential, structure, "reference")
    rows = potential.descriptors(structure, engine="reference")
    r = np.linalg.norm(structure.positions[1:] - structure.positions[0], axis=1)
    f = potential.models[0].functions[-1]
    z = structure.atomic_numbers[1:]
    inside = r < f.radius
    f_c = np.where(
        inside,
        0.5
        * (
            1
            + np.cos(
                np.pi
                * np.clip(
                    (r - f.cutoff.inner_fraction * f.radius)
                    / (f.radius * (1 - f.cutoff.inner_fraction)),
                    0,
                    1,
                )
            )
        ),
        0,
    )
    x = r / f.r_shift
    weights = z if f.neighbor is None else 1
    np.testing.assert_allclose(rows[0][-1], np.sum(weights * x**2 * np.exp(-x) * f_c), rtol=1e-13)
    potential.save(tmp_path / "shells.nnp")
    again = nnp.load(tmp_path / "shells.nnp")
    assert again.models[0].functions == potential.models[0].functions
    assert "shell all (weighted) r_shift=1.3" in again.models[0].functions[-1].describe()


def test_what_a_family_of_another_package_has_not(shell):
    potential = with_shells(shell)
    with pytest.raises(OptionError, match="no functions of the family 'shell': use engine='ref"):
        potential.make_engine("cpu")
    with pytest.raises(OptionError, match="a shell function cannot be written: n2p2 has no such"):
        write_function("Si", potential.models[0].functions[-1], 1.0)


@pytest.mark.usefixtures("shell")
def test_families_that_cannot_be_had():
    with pytest.raises(OptionError, match=r"unknown family 'Shelf': .*Radial, .*Shell"):
        family_named("Shelf")
    with pytest.raises(UnavailableError, match="'Broken' of the package nnp-toy cannot be"):
        family_named("Broken")
    with pytest.raises(UnavailableError, match="nnp_toy_functions:no_class is not a subclass"):
        family_named("Function")


def test_a_file_whose_family_is_not_installed(shell, tmp_path, monkeypatch):
    with_shells(shell).save(tmp_path / "shells.nnp")
    monkeypatch.undo()
    with pytest.raises(FileFormatError, match="unknown family 'Shell'"):
        nnp.load(tmp_path / "shells.nnp")


def test_own_families_are_whole():
    assert len({family.number for family in OWN}) == len(OWN)
    assert all(BY_N2P2_TYPE[t] is family for family in OWN for t in family.n2p2_types)
    assert Radial.from_entry({"family": "Radial", **_radial_entry()}).eta == 0.5


def _radial_entry():
    cutoff = {"kind": 1, "radius": 6.0, "inner_fraction": 0.0}
    return {"neighbor": "Si", "eta": 0.5, "r_shift": 0.0, "cutoff": cutoff}
