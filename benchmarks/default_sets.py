"""Data of `bench_defaults.py`: training and test file of each set, made once in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import molecules
import nitride
import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.io import write


@dataclass(frozen=True)
class Wanted:
    """What issue 18 asks of a set: minutes, and errors in meV/atom and eV/Å; None: not asked."""

    minutes: float
    energy_mae_mev: float | None = None
    force_mae: float | None = None
    force_rmse: float | None = None


WANTED = {
    "Si": Wanted(10, 2.9, 0.066),
    "Li": Wanted(10, 0.40, 0.0080),
    "TiO2": Wanted(20, 2.5, 0.065),
    "water": Wanted(30, force_rmse=0.03),
    "nitride": Wanted(30),
    "molecules": Wanted(30),
}


def reference() -> Path:
    """Folder of the data that cannot be made."""
    if "NNP_REFERENCE_DATA" not in os.environ:
        sys.exit("NNP_REFERENCE_DATA is unset: it names the folder of mlearn/, tio2/ and n2p2/")
    return Path(os.environ["NNP_REFERENCE_DATA"])


def data_of(name: str, folder: Path) -> tuple[Path, Path]:
    """Training and test data of a set."""
    if name in ("Si", "Li"):
        found = reference() / "mlearn" / name
        return found / "train.extxyz", found / "test.extxyz"
    return {"TiO2": titania, "water": water, "nitride": nitride.files, "molecules": many}[name](
        folder
    )


def titania(folder: Path) -> tuple[Path, Path]:
    """The 900 and 100 structures of ænet-PyTorch's example."""
    source, places = reference() / "tio2", (folder / "TiO2-train", folder / "TiO2-test")
    if not all(place.exists() for place in places):
        split = json.loads((source / "split.json").read_text(encoding="utf-8"))
        with tarfile.open(source / "dir_xsf.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        for place, part in zip(places, ("train", "test"), strict=True):
            place.mkdir(exist_ok=True)
            for file in split[part]:
                (folder / "dir_xsf" / file).rename(place / file)
    return places


def water(folder: Path) -> tuple[Path, Path]:
    """Boxes of 64 molecules of dynamics with the shared RPBE-D3 potential; ≈ 6 min of one core.

    1,008 for training: 300, 400 and 550 K at four volumes; the test is 48 of other runs.
    """
    teacher, start = reference() / "n2p2" / "H2O_RPBE-D3", folder / "water-start.extxyz"
    files = folder / "water-train.extxyz", folder / "water-test.extxyz"
    if not start.exists():
        write(folder / "water-box.extxyz", box())
        tolerance = ("--steps", "60", "--force-tolerance", "0.5", "--output", start)
        command("relax", teacher, folder / "water-box.extxyz", *tolerance)
    how = "--interval 40 --equilibration 2500 --timestep 0.5".split()
    sets = (
        "--temperatures 300 400 550 --volumes 0.95 1.0 1.1 1.25 --snapshots 84 --seed 0",
        "--temperatures 350 500 --volumes 1.0 1.15 --snapshots 12 --seed 9",
    )
    for file, states in zip(files, sets, strict=True):
        if not file.exists():
            command("sample", start, file, "--teacher", teacher, *states.split(), *how)
    return files


def box(edge: float = 12.42, each: int = 4, seed: int = 0) -> Atoms:
    """each³ water molecules on a lattice, turned at random; Å."""
    rng = np.random.default_rng(seed)
    found = Atoms(cell=[edge] * 3, pbc=True)
    for place in np.ndindex(each, each, each):
        one = molecule("H2O")
        one.rotate(rng.uniform(0, 360), rng.normal(size=3))
        one.positions += (np.array(place) + 0.5) * edge / each - one.get_center_of_mass()
        found += one
    return found


def many(folder: Path, count: int = 100_000, test: int = 1000) -> tuple[Path, Path]:
    """Small molecules of four elements with an analytic teacher."""
    files = folder / "molecules-train.extxyz", folder / "molecules-test.extxyz"
    for seed, (file, number) in enumerate(zip(files, (count, test), strict=True)):
        if not file.exists():
            molecules.write(file, number, seed)
    return files


def command(*words: object) -> None:
    """Run nnp; its output goes on."""
    subprocess.run([sys.executable, "-m", "nnp", *map(str, words)], check=True)
