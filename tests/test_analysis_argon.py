"""Liquid argon as Rahman ran it, by LAMMPS: published diffusion and distances; MDAnalysis's g(r).

A. Rahman, Phys. Rev. 136, A405 (1964), doi:10.1103/PhysRev.136.A405: 864 atoms in a cube of
10.229 σ, ε/k = 120 K, σ = 3.4 Å, cut at 2.25 σ, 94.4 K: D = 2.43e-5 cm²/s, maxima of g(r) at 3.7,
7.0 and 10.4 Å.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lammps_process import run_lammps_script
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from nnp.analysis import AnalysisSettings, analyse, open_trajectory
from nnp.analysis.rdf import TOTAL, PairCounts
from nnp.io.structures import ReadOptions
from nnp.structure import Structure

LENGTH = 10.229 * 3.4

SCRIPT = f"""
units metal
lattice fcc {LENGTH / 6}
region box block 0 6 0 6 0 6
create_box 1 box
create_atoms 1 box
mass 1 39.95
pair_style lj/cut 7.65
pair_coeff 1 1 0.0103408 3.4
velocity all create 190 4711 mom yes
timestep 0.01
neighbor 1.5 bin
fix 1 all nve
fix 2 all temp/rescale 10 94.4 94.4 1.0 1.0
run 2000
unfix 2
velocity all scale 94.4
dump 1 all custom 10 argon.dump id element x y z vx vy vz
dump_modify 1 element Ar units yes time yes
run 4000
"""


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    folder = tmp_path_factory.mktemp("argon")
    run_lammps_script(SCRIPT, folder)
    return folder / "argon.dump"


@pytest.mark.slow
def test_rahman(dump):
    settings = AnalysisSettings(skip=0.0, r_max=11.5, structure_frames=50, viscosity_mpa_s=0.28)
    found = analyse(dump, settings, options=ReadOptions())
    assert found.about["frames taken"] == 401
    temperature = found["mean temperature"].value
    assert temperature == pytest.approx(94.4, abs=4)
    # D goes about as T² here (Rahman's figure 12 and ours): a few kelvin are a few per cent
    diffusion = found["diffusion Ar"]
    wanted = 2.43 * (temperature / 94.4) ** 2
    assert diffusion.error < 0.15
    assert diffusion.value == pytest.approx(wanted, abs=3 * diffusion.error + 0.05)
    larger = found["diffusion Ar, infinite cell"].value
    assert larger - diffusion.value == pytest.approx(0.2, abs=0.02)
    rdf = found.curves["rdf"]
    smooth = gaussian_filter1d(rdf.values[TOTAL], 0.06 / (rdf.x[1] - rdf.x[0]))
    peaks, _ = find_peaks(smooth, prominence=0.03)
    np.testing.assert_allclose(rdf.x[peaks[:3]], [3.7, 7.0, 10.4], atol=0.3)
    assert found["coordination total"].value == pytest.approx(12.3, abs=0.4)


@pytest.mark.slow
def test_mdanalysis_agrees(dump):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import MDAnalysis
        from MDAnalysis.analysis.rdf import InterRDF

        trajectory = open_trajectory(dump)
        frames = list(trajectory.frames(0, 401, 40))
        pairs = PairCounts(trajectory.numbers, len(frames), 12.0, 120)
        for frame in frames:
            pairs.add(Structure(frame.positions, trajectory.numbers, frame.cell, trajectory.pbc))
        universe = MDAnalysis.Universe.empty(864, trajectory=True)
        positions = np.array([frame.positions for frame in frames], np.float32)
        box = np.tile([LENGTH, LENGTH, LENGTH, 90, 90, 90], (len(frames), 1))
        universe.load_new(positions, order="fac", dimensions=box)
        atoms = universe.atoms
        other = InterRDF(atoms, atoms, 120, (0.0, 12.0), exclusion_block=(1, 1)).run()
    ours = pairs.distributions()[TOTAL]
    # MDAnalysis divides by N (N − 1), we by N²; its float32 puts some pairs into the next bin
    np.testing.assert_allclose(ours.mean * 864 / 863, other.results.rdf, rtol=0.01, atol=2e-3)
    np.testing.assert_allclose(ours.r, other.results.bins)
