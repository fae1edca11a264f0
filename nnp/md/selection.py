"""Structures of a run that are worth a label: where a committee disagrees, or atoms extrapolate.

One extxyz without labels, each structure with its reason, and beside it a folder with a POSCAR of
each, for whoever computes the labels.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase.io

from nnp.io.files import refused
from nnp.io.structures import extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms

_DIGITS = 4


class Selection:
    """Writes structures with their reasons.

    Args:
        path: the extxyz; begun with the first structure.
        start: the atoms.
        settings: limits, and how many at most.
        resume_at: bytes and structures of the run that is continued.
    """

    def __init__(
        self,
        path: Path,
        start: OpenMMAtoms,
        settings: MDSettings,
        resume_at: tuple[int, int] | None = None,
    ) -> None:
        self.path, self._start, self._settings = path, start, settings
        self._symbols = [atom.element.symbol for atom in start.topology.atoms()]
        self._size, self.count = resume_at or (0, 0)
        self._file: AppendedFile | None = None
        if self.count:
            self._file = AppendedFile(path, self._size)
        elif path.exists():
            path.unlink()
        for folder in _folders(path):
            if int(folder.name) > self.count:  # after the restart, or of a run before
                shutil.rmtree(folder, ignore_errors=True)

    def wants(self, step: int) -> bool:
        """Whether a look belongs to this step."""
        every = self._settings.select_interval
        return every is not None and step % every == 0

    def look(self, snapshot: Snapshot) -> None:
        """Write the structure, if it is worth a label and there is room.

        Raises:
            NNPError: the file system refuses.
        """
        reasons = self.reasons(snapshot)
        if reasons and self.count < self._settings.select_most:
            self._write(snapshot, reasons)

    def reasons(self, snapshot: Snapshot) -> list[str]:
        """Why a label is worth it; empty where it is not."""
        found, settings = [], self._settings
        if snapshot.force_spread > settings.select_above:
            found.append(
                f"force spread {snapshot.force_spread:.3f} eV/Å of atom {snapshot.spread_atom} "
                f"({self._symbols[snapshot.spread_atom]}), more than {settings.select_above:g}"
            )
        outside = snapshot.extrapolations
        if outside is not None and outside.worst is not None:
            worst = outside.worst
            found.append(
                f"{outside.n_atoms} atoms extrapolate, worst atom {worst.atom} "
                f"({self._symbols[worst.atom]}), function {worst.function + 1} by "
                f"{100 * worst.relative:+.0f} % of its range"
            )
        return found

    @property
    def mark(self) -> tuple[int, int]:
        """Bytes and structures so far."""
        return (0 if self._file is None else self._file.size), self.count

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, snapshot: Snapshot, reasons: Sequence[str]) -> None:
        atoms: Any = snapshot.to_ase(self._start)
        atoms.calc = None  # predictions are not labels
        atoms.arrays.pop("momenta", None)
        atoms.info["reason"] = "; ".join(reasons)
        if self._file is None:
            self._file = AppendedFile(self.path)
        self._file.write(extxyz_bytes(atoms))
        self.count += 1
        folder = _folder(self.path) / f"{self.count:0{_DIGITS}d}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            periodic = bool(atoms.pbc.all())
            name, form = ("POSCAR", "vasp") if periodic else ("structure.xyz", "xyz")
            options = {"sort": True} if periodic else {}
            atoms.set_constraint()
            ase.io.write(folder / name, atoms, format=form, **options)
            (folder / "reason.txt").write_text("\n".join(reasons) + "\n", encoding="utf-8")
        except OSError as error:
            raise refused(folder, error) from error


def _folder(path: Path) -> Path:
    return path.with_suffix("")


def _folders(path: Path) -> list[Path]:
    """Those that an earlier run, or a later part of this one, has left."""
    folder = _folder(path)
    if not folder.is_dir():
        return []
    return [found for found in folder.iterdir() if found.is_dir() and found.name.isdigit()]
