"""Phonons by phonopy: bands, density of states, harmonic thermodynamics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from ase import Atoms
from ase.cell import Cell
from numpy.typing import NDArray

from nnp.analysis.eos.crystal import require_crystal
from nnp.distribution import install
from nnp.errors import NNPError, OptionError, UnavailableError
from nnp.units import KJ_PER_MOL
from nnp.values import require_whole

Floats = NDArray[np.float64]

_DISPLACEMENT = 0.01  # Å: force constants are linear in it well beyond, rounding is far below
_LEAST_LENGTH = 10.0  # Å, of the supercell's edges where none is told
_MESH_LENGTH = 60.0  # Å, as phonopy counts meshes
_POINTS_OF_A_SEGMENT = 41
# THz: below, with a minus sign, it is not rounding of the acoustic modes at Γ.
IMAGINARY = -0.1
_TEMPERATURES = np.arange(0.0, 1001.0, 20.0)


@dataclass(frozen=True, eq=False)
class Phonons:
    """Of a crystal.

    Attributes:
        supercell: how often the cell was repeated.
        labels: of the special points, in the order of the path.
        label_places: (labels,) where they are on the path's axis, 1/Å.
        places: (q,) on the path's axis, 1/Å.
        bands: (q, modes), THz; imaginary ones negative.
        special: frequencies (modes,) by special point, THz.
        frequencies: (f,) of the density, THz.
        density: (f,), states per THz and atom: its integral is 3.
        temperatures: (t,), K.
        heat_capacity: (t,), J/(mol K) per mole of atoms, at constant volume.
        free_energy: (t,), vibrational, eV per atom.
    """

    supercell: tuple[int, int, int]
    labels: tuple[str, ...]
    label_places: Floats
    places: Floats
    bands: Floats
    special: dict[str, Floats]
    frequencies: Floats
    density: Floats
    temperatures: Floats
    heat_capacity: Floats
    free_energy: Floats

    @property
    def lowest(self) -> float:
        """Lowest frequency on the path, THz."""
        return float(self.bands.min())


def phonons(model: Any, atoms: Any, supercell: Sequence[int] | None = None) -> Phonons:
    """Force constants from displaced atoms of a supercell, and what follows.

    Args:
        model: an ASE calculator.
        atoms: the crystal at rest.
        supercell: how often the cell is repeated; None: so that every edge has 10 Å.

    Raises:
        UnavailableError: phonopy is missing.
        StructureError: no crystal.
        OptionError: not three whole numbers from 1.
    """
    require_crystal(atoms)
    counts = _counts(atoms, supercell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        phonon = _phonopy(atoms, counts)
        phonon.generate_displacements(distance=_DISPLACEMENT)
        phonon.forces = [_forces(model, cell) for cell in phonon.supercells_with_displacements]
        phonon.produce_force_constants()
        phonon.symmetrize_force_constants()
        return _evaluated(phonon, counts)


def _counts(atoms: Any, supercell: Sequence[int] | None) -> tuple[int, int, int]:
    if supercell is None:
        heights = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
        supercell = [int(np.ceil(_LEAST_LENGTH / height)) for height in heights]
    return require_supercell(supercell)


def require_supercell(supercell: Sequence[int]) -> tuple[int, int, int]:
    """How often a cell is repeated along its axes.

    Raises:
        OptionError: not three whole numbers from 1.
    """
    if len(supercell) != 3:
        raise OptionError(f"supercell={list(supercell)}: three whole numbers are expected")
    a, b, c = (require_whole("supercell", count, 1) for count in supercell)
    return a, b, c


def _phonopy(atoms: Any, counts: tuple[int, int, int]) -> Any:
    try:
        from phonopy import Phonopy
        from phonopy.structure.atoms import PhonopyAtoms
    except ImportError:
        raise UnavailableError(
            f"phonons need phonopy, which is not installed: {install('analysis')}, or leave them "
            "out (--no-phonons)"
        ) from None
    cell = PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(),
        masses=atoms.get_masses(),
    )
    return Phonopy(cell, supercell_matrix=np.diag(counts), primitive_matrix="auto", log_level=0)


def _forces(model: Any, cell: Any) -> Floats:
    displaced = Atoms(
        cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True
    )
    displaced.calc = model
    return np.asarray(displaced.get_forces(), np.float64)  # type: ignore[no-untyped-call]


def _evaluated(phonon: Any, counts: tuple[int, int, int]) -> Phonons:
    primitive = Cell(phonon.primitive.cell)  # type: ignore[no-untyped-call]
    try:
        path = primitive.bandpath()
    except (RuntimeError, ValueError) as error:  # ASE knows lattices of cells near enough to one
        raise NNPError(f"no path through the reciprocal cell: {error}") from None
    points = {name: np.asarray(q, np.float64) for name, q in path.special_points.items()}
    names, label_places, places, bands = _along(phonon, primitive, path.path, points)
    phonon.run_qpoints([points[name] for name in points])
    special = {
        name: np.sort(values)
        for name, values in zip(points, phonon.qpoints.frequencies, strict=True)
    }
    phonon.run_mesh(_MESH_LENGTH)
    phonon.run_total_dos()
    phonon.run_thermal_properties(temperatures=_TEMPERATURES)
    n = len(phonon.primitive)
    dos, heat = phonon.total_dos, phonon.thermal_properties
    return Phonons(
        counts,
        names,
        label_places,
        places,
        bands,
        special,
        np.asarray(dos.frequency_points),
        np.asarray(dos.dos) / n,
        np.asarray(heat.temperatures),
        np.asarray(heat.heat_capacity) / n,
        np.asarray(heat.free_energy) * KJ_PER_MOL / n,
    )


def _along(
    phonon: Any, primitive: Any, path: str, points: dict[str, Floats]
) -> tuple[tuple[str, ...], Floats, Floats, Floats]:
    """Labels, their places, places and frequencies along a path such as ``GXWKGL,UX``."""
    from ase.dft.kpoints import parse_path_string

    reciprocal = primitive.reciprocal()
    at, places, bands = 0.0, [], []
    names: list[str] = []
    marks: list[float] = []
    for part in parse_path_string(path):  # type: ignore[no-untyped-call]
        for number, (begin, end) in enumerate(pairwise(part)):
            shares = np.linspace(0, 1, _POINTS_OF_A_SEGMENT)[:, None]
            q = points[begin] + shares * (points[end] - points[begin])
            length = float(np.linalg.norm((points[end] - points[begin]) @ reciprocal))
            phonon.run_qpoints(q)
            bands.append(np.sort(phonon.qpoints.frequencies, axis=1))
            places.append(at + length * shares[:, 0])
            if number == 0:
                jump = bool(names)  # from another point: both names
                names[-1:] = [f"{names[-1]}|{begin}" if jump else begin]
                marks[-1:] = [at]
            at += length
            names.append(end)
            marks.append(at)
    return tuple(names), np.array(marks), np.concatenate(places), np.concatenate(bands)
