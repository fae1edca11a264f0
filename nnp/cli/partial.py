"""Snapshots of a run that is not done, and where it stood: what ``nnp sample --resume`` needs."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import ase.io
import numpy as np
from ase import Atoms

from nnp.errors import FileFormatError, OptionError, OutputExistsError
from nnp.io.files import check_folder, replacing
from nnp.io.structures import extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.values import counted

if TYPE_CHECKING:
    from nnp.train.data.sampling import Point, Resumed

_VERSION = 1
# What NumPy, zip and JSON raise over files that are something else, or damaged.
_DAMAGED = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def fingerprint(structures: Sequence[Any], told: object) -> str:
    """Of what a resumed run must share with the interrupted one."""
    digest = hashlib.sha256(repr(told).encode())
    for atoms in structures:
        for array in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class PartialSamples:
    """``NAME.partial.extxyz`` and ``NAME.partial.npz`` beside the output, gone when it is there.

    The second one is replaced after each snapshot and knows how long the first one was: what a
    kill left behind that is cut.

    Args:
        output: the final file.
        about: `fingerprint` of the run.
        force: whether what an earlier run left may be overwritten.
        resume: whether it is continued, where there is something.

    Raises:
        OutputExistsError: neither ``force`` nor ``resume``, and there is something.
        OptionError: it is another run's.
        FileFormatError: it is damaged.
    """

    def __init__(self, output: Path, about: str, force: bool, resume: bool) -> None:
        self._frames = output.with_name(f"{output.stem}.partial.extxyz")
        self._state = output.with_name(f"{output.stem}.partial.npz")
        self._about = about
        check_folder(self._frames)
        self._resumed: Resumed | None = None
        size = None
        if resume and self._state.exists():
            self._resumed, size = self._read()
        elif self._frames.exists() and not (force or resume):
            raise OutputExistsError(
                f"{self._frames} holds the snapshots of an interrupted run: continue it with "
                "--resume, or overwrite it with --force"
            )
        self._file = AppendedFile(self._frames, size)
        self._count = 0 if self._resumed is None else len(self._resumed.found)

    def __enter__(
        self,
    ) -> tuple[Callable[[Atoms], None], Callable[[Point | None], None], Resumed | None]:
        """What keeps a snapshot, what notes the state after it, and what is there already."""
        return self._keep, self._note, self._resumed

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if kind is None or self._count == 0:
            for path in (self._state, self._frames):
                path.unlink(missing_ok=True)
        else:
            done = counted(self._count, "snapshot")
            print(f"{done} done so far: {self._frames}; --resume continues", file=sys.stderr)

    def _keep(self, atoms: Atoms) -> None:
        self._file.write(extxyz_bytes(atoms))
        self._count += 1

    def _note(self, point: Point | None) -> None:
        header = {
            "version": _VERSION,
            "about": self._about,
            "bytes": self._file.size,
            "count": self._count,
            "rng": None if point is None else point.rng,
        }
        arrays: dict[str, Any] = (
            {} if point is None else {"positions": point.positions, "momenta": point.momenta}
        )
        with replacing(self._state, force=True) as scratch, scratch.open("wb") as file:
            np.savez(file, header=np.array(json.dumps(header)), **arrays)

    def _read(self) -> tuple[Resumed, int]:
        from nnp.train.data.sampling import Point, Resumed

        try:
            with self._state.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            header = json.loads(str(arrays.pop("header")))
            about, count, size = header["about"], int(header["count"]), int(header["bytes"])
            point = None
            if header["rng"] is not None:
                point = Point(arrays["positions"], arrays["momenta"], header["rng"])
        except _DAMAGED as error:
            raise FileFormatError(
                f"{self._state} cannot be read ({error}): begin again with --force"
            ) from None
        if header.get("version") != _VERSION or about != self._about:
            raise OptionError(
                f"{self._state} belongs to a run with other structures, teacher or settings: give "
                "those, or begin again with --force"
            )
        return Resumed(self._found(count, size), point), size

    def _found(self, count: int, size: int) -> list[Atoms]:
        try:
            text = self._frames.read_bytes()[:size].decode()
            found: Any = ase.io.read(io.StringIO(text), ":", format="extxyz") if count else []
        except (OSError, LookupError, ValueError, TypeError, StopIteration) as error:
            raise FileFormatError(
                f"{self._frames} cannot be read ({error}): begin again with --force"
            ) from None
        if len(found) != count:
            raise FileFormatError(
                f"{self._frames} has {counted(len(found), 'snapshot')}, {count} were written: "
                "begin again with --force"
            )
        return list(found)
