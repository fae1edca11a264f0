"""The steps of a relaxation in a file: extxyz or ASE's trajectory."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ase import Atoms
from ase.io.trajectory import Trajectory

from nnp.io.structures import extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.md.relaxation import RelaxStep


class RelaxTrajectory:
    """Frames as they come, each whole on disk before the next step.

    Args:
        path: ``.traj`` is ASE's, all else extxyz; None writes nothing. An existing file is
            replaced, with the first frame: what is refused before leaves no file.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: Any = None
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, atoms: Atoms, step: RelaxStep) -> None:
        """Write a step.

        Raises:
            NNPError: the file system refuses.
        """
        if self._path is None:
            return
        if self._file is None:
            self._file = _opened(self._path)
        atoms.info["step"] = step.step
        if isinstance(self._file, AppendedFile):
            self._file.write(extxyz_bytes(atoms))
        else:
            self._file.write(atoms)


def _opened(path: Path) -> Any:
    plain = AppendedFile(path)  # refuses in our words what cannot be written
    if path.suffix != ".traj":
        return plain
    plain.close()
    return Trajectory(str(path), "w")  # type: ignore[no-untyped-call]
