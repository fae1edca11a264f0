"""Trajectories of every format: the same frames, one at a time; what is refused."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import warnings

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import Trajectory as AseTrajectory
from ase.io import write

from nnp.analysis import AnalysisSettings, analyse, open_trajectory
from nnp.errors import FileFormatError, NNPError, OptionError, StructureError

CELL = np.array([[9.0, 0, 0], [1.5, 8.0, 0], [-1.0, 0.5, 10.0]])
COUNT = 6


def make_frames(count=COUNT, n=12):
    rng = np.random.default_rng(3)
    numbers = [14, 8, 8] * (n // 3)
    start = rng.random((n, 3)) @ CELL
    frames = []
    for k in range(count):
        positions = start + 0.05 * k * rng.normal(size=(n, 3))
        atoms = Atoms(numbers, positions, cell=CELL * (1 + 0.001 * k), pbc=True)
        atoms.set_velocities(0.01 * rng.normal(size=(n, 3)) / units.fs)
        atoms.info["time_fs"] = 20.0 * k
        atoms.calc = SinglePointCalculator(
            atoms, energy=-3.0 - k, forces=rng.normal(size=(n, 3)), stress=np.arange(6.0) + k
        )
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def frames():
    return make_frames()


def extxyz(frames, folder):
    write(folder / "a.extxyz", frames)
    return folder / "a.extxyz", None


def packed(frames, folder):
    path, _ = extxyz(frames, folder)
    (folder / "a.extxyz.gz").write_bytes(gzip.compress(path.read_bytes()))
    return folder / "a.extxyz.gz", None


def odd_extxyz(frames, folder):
    """Columns in another order, one of them of logicals, blank lines between: the long way."""
    path, _ = extxyz(frames, folder)
    text = re.sub(r"(?m)^(\d+)$", r"\n\1", path.read_text())
    path.write_text(text.replace("Lattice=", "lattice=").replace("Properties=", "properties="))
    return path, None


def traj(frames, folder):
    with AseTrajectory(folder / "a.traj", "w") as file:
        for atoms in frames:
            file.write(atoms)
    return folder / "a.traj", None


def dump(frames, folder):
    """Atoms in another order in every frame, scaled positions, a tilted box, metal units."""
    lines = []
    for k, atoms in enumerate(frames):
        (x, _, _), (xy, y, _), (xz, yz, z) = atoms.cell.array
        lo, hi = min(0, xy, xz, xy + xz), x + max(0, xy, xz, xy + xz)
        lines += [*(["ITEM: UNITS", "metal"] if k == 0 else []), "ITEM: TIME", f"{0.02 * k}"]
        lines += ["ITEM: TIMESTEP", str(10 * k), "ITEM: NUMBER OF ATOMS", str(len(atoms))]
        lines += ["ITEM: BOX BOUNDS xy xz yz pp pp pp", f"{lo:.10f} {hi:.10f} {xy:.10f}"]
        lines += [f"{min(0, yz):.10f} {y + max(0, yz):.10f} {xz:.10f}", f"0 {z:.10f} {yz:.10f}"]
        lines += ["ITEM: ATOMS id element xs ys zs vx vy vz"]
        speeds = atoms.get_velocities() * units.fs * 1000
        shares = atoms.get_scaled_positions(wrap=False)
        for i in np.random.default_rng(k).permutation(len(atoms)):
            numbers = " ".join(f"{v:.9f}" for v in (*shares[i], *speeds[i]))
            lines.append(f"{i + 1} {atoms.symbols[i]} {numbers}")
    (folder / "a.dump").write_text("\n".join(lines) + "\n")
    return folder / "a.dump", None


def by_mdanalysis(frames, folder, name):
    with warnings.catch_warnings():
        import MDAnalysis  # sets filters of its own

        warnings.simplefilter("ignore")

        _write_with_mdanalysis(MDAnalysis, frames, folder / name)
    write(folder / "start.extxyz", frames[0])
    return folder / name, folder / "start.extxyz"


def _write_with_mdanalysis(MDAnalysis, frames, path):
    n = len(frames[0])
    universe = MDAnalysis.Universe.empty(n, trajectory=True)
    positions = np.array([atoms.positions for atoms in frames], np.float32)
    cells = np.array([atoms.cell.cellpar() for atoms in frames])
    universe.load_new(positions, order="fac", dimensions=cells, dt=0.02)
    with MDAnalysis.Writer(str(path), n, dt=0.02) as writer:
        for _ in universe.trajectory:
            writer.write(universe.atoms)


def dcd(frames, folder):
    return by_mdanalysis(frames, folder, "a.dcd")


def xtc(frames, folder):
    return by_mdanalysis(frames, folder, "a.xtc")


def pdb(frames, folder):
    write(folder / "a.pdb", frames)
    return folder / "a.pdb", None


# maker: error of positions (Å), whether velocities, energies, times are in the file
FORMATS = {
    extxyz: (1e-7, True, True, True),
    packed: (1e-7, True, True, True),
    odd_extxyz: (1e-7, True, True, True),
    traj: (1e-12, True, True, True),
    dump: (1e-6, True, False, True),
    dcd: (1e-5, False, False, True),
    xtc: (6e-3, False, False, True),
    pdb: (2e-3, False, False, False),
}


@pytest.mark.parametrize("maker", FORMATS, ids=lambda maker: maker.__name__)
def test_every_format(maker, frames, tmp_path):
    tolerance, velocities, energies, times = FORMATS[maker]
    given = list(frames)
    trajectory = open_trajectory(*reversed_arguments(maker(given, tmp_path)))
    assert trajectory.symbols == ["O", "Si"]
    assert trajectory.periodic
    outline = trajectory.outline()
    assert outline.count == COUNT
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    if times:
        np.testing.assert_allclose(outline.times_fs, 20.0 * np.arange(COUNT), atol=1e-3)
    if energies:
        np.testing.assert_allclose(outline.energies, -3.0 - np.arange(COUNT))
    found = list(trajectory.frames(1, COUNT, 2))
    assert len(found) == 3
    for frame, atoms in zip(found, given[1::2], strict=True):
        # MDAnalysis turns the cell so that its first vector is along x: as it stands here
        np.testing.assert_allclose(frame.cell, atoms.cell.array, atol=2e-3)
        np.testing.assert_allclose(frame.positions, atoms.positions, atol=tolerance)
        if velocities:
            np.testing.assert_allclose(
                frame.velocities, atoms.get_velocities() * units.fs, atol=1e-7
            )
        if energies:
            np.testing.assert_allclose(frame.stress, atoms.get_stress(voigt=False), atol=1e-7)


def reversed_arguments(made):
    path, topology = made
    return path, None, topology


def test_memory_does_not_grow(tmp_path):
    peaks = []
    for count in (20, 200):
        path = tmp_path / f"{count}.extxyz"
        write(path, make_frames(2, 300) * (count // 2))
        trajectory = open_trajectory(path)
        list(trajectory.frames(0, 2))
        tracemalloc.start()
        trajectory.outline()
        for _ in trajectory.frames(0, count):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def changed(frames, **what):
    """The frames, with the fourth one changed."""
    atoms = frames[3].copy()
    if "remove" in what:
        del atoms[what["remove"]]
    if "swap" in what:
        atoms.numbers[[0, 1]] = atoms.numbers[[1, 0]]
    return [*frames[:3], atoms, *frames[4:]]


def cut(frames, path):
    write(path, frames)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-8]))


def broken(frames, path):
    write(path, frames)
    lines = path.read_text().splitlines()
    words = lines[32].split()
    lines[32] = " ".join([words[0], "five", *words[2:]])
    path.write_text("\n".join(lines) + "\n")


BAD = {
    "fewer atoms": (
        lambda f, p: write(p, changed(f, remove=2)),
        StructureError,
        "frame 3: 11 atoms, and the first frame has 12; .* one file for each set",
    ),
    "other order": (
        lambda f, p: write(p, changed(f, swap=True)),
        StructureError,
        "frame 3: atom 0 is O, and was another element",
    ),
    "empty": (lambda _, p: p.write_text(""), FileFormatError, "is empty"),
    "missing": (lambda *_: None, FileFormatError, "does not exist: give a trajectory"),
    "cut": (cut, FileFormatError, "frame 5 announces 12 atoms and 4 lines follow: the file ends"),
    "no number": (broken, FileFormatError, "line 33: 'five' in the column pos is not a number"),
}


@pytest.mark.parametrize("case", BAD)
def test_refusals(case, frames, tmp_path):
    make, error, message = BAD[case]
    make(frames, tmp_path / "x.extxyz")
    with pytest.raises(error, match=message):
        analyse(tmp_path / "x.extxyz", AnalysisSettings(skip=0.0))


def test_topologies(frames, tmp_path):
    path, start = dcd(frames, tmp_path)
    with pytest.raises(OptionError, match="--topology names a structure with the same atoms"):
        open_trajectory(path)
    write(tmp_path / "a.final.extxyz", frames[0])
    assert len(open_trajectory(path)) == 12
    write(tmp_path / "other.extxyz", frames[0][:5])
    with pytest.raises(NNPError, match=r"12 atoms and .*other\.extxyz 5"):
        open_trajectory(path, topology=tmp_path / "other.extxyz")
    with pytest.raises(OptionError, match="has elements of its own"):
        open_trajectory(start, topology=start)
    (tmp_path / "b.dcd").write_bytes(path.read_bytes()[:100])
    with pytest.raises(FileFormatError, match=r"b\.dcd cannot be read"):
        open_trajectory(tmp_path / "b.dcd", topology=start)
