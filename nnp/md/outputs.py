"""The files of a run: their names, and whether they may be written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnp.errors import NNPError, OptionError, OutputExistsError
from nnp.io.files import check_can_be
from nnp.io.scratch import remove_left
from nnp.md.frame_file import WITH_EVERYTHING, WITHOUT_ELEMENTS, FrameFile


@dataclass(frozen=True)
class Outputs:
    """Files that a run writes.

    Attributes:
        log: CSV.
        frames: trajectories, one or more.
        restart: what a later run continues from; replaced during the run.
        final: the last state, extxyz.
        last_good: the last finite state, extxyz; written if the run has to stop.
        topology: PDB with elements, residues and chains, for formats that have none.
        selected: structures to label next, see `nnp.md.selection`; with a folder beside it.
        force: whether existing files may be overwritten.
    """

    log: Path
    frames: tuple[FrameFile, ...]
    restart: Path
    final: Path
    last_good: Path
    topology: Path
    selected: Path
    force: bool = False

    @classmethod
    def named(
        cls,
        prefix: str | Path,
        log: str | Path | None = None,
        trajectory: str | Path | Sequence[FrameFile] | None = None,
        force: bool = False,
    ) -> Outputs:
        """Make all names from one prefix.

        Args:
            prefix: folder and start of the names, such as ``runs/si``.
            log: replaces ``PREFIX.csv``.
            trajectory: replaces ``PREFIX.extxyz``; one name, or several `FrameFile`.
            force: whether existing files may be overwritten.

        Raises:
            OptionError: a trajectory's name has no known format, or the prefix is a folder.

        Examples:
            >>> Outputs.named("runs/si").final.as_posix()
            'runs/si.final.extxyz'
        """
        begin = str(prefix)
        if begin.endswith(("/", os.sep)) or Path(begin).name in ("", ".."):
            raise OptionError(
                f"output={begin!r} (--output) is a folder: give the beginning of the files' names "
                f"too, such as {Path(begin) / 'md'}"
            )
        if trajectory is None or isinstance(trajectory, str | Path):
            frames: tuple[FrameFile, ...] = (FrameFile(Path(trajectory or f"{begin}.extxyz")),)
        else:
            frames = tuple(trajectory) or (FrameFile(Path(f"{begin}.extxyz")),)
        return cls(
            log=Path(log or f"{begin}.csv"),
            frames=frames,
            restart=Path(f"{begin}.restart"),
            final=Path(f"{begin}.final.extxyz"),
            last_good=Path(f"{begin}.last-good.extxyz"),
            topology=Path(f"{begin}.topology.pdb"),
            selected=Path(f"{begin}.selected.extxyz"),
            force=force,
        )

    @property
    def trajectory(self) -> Path:
        """Name of the first trajectory."""
        return self.frames[0].path

    @property
    def with_everything(self) -> Path | None:
        """The first trajectory that ASE reads with elements and cell; None if there is none."""
        found = [frame.path for frame in self.frames if frame.path.suffix in WITH_EVERYTHING]
        return found[0] if found else None

    @property
    def needs_topology(self) -> bool:
        """Whether any trajectory lacks elements."""
        return any(frame.path.suffix in WITHOUT_ELEMENTS for frame in self.frames)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All paths."""
        extra = (self.topology,) if self.needs_topology else ()
        trajectories = (frame.path for frame in self.frames)
        fixed = (self.restart, self.final, self.last_good, self.selected)
        return (self.log, *trajectories, *fixed, *extra)

    @property
    def only_begun(self) -> bool:
        """Whether there is a log with no row behind that of the start.

        A run that was killed before its first restart file has left no more.
        """
        try:
            with self.log.open("rb") as file:
                first, _, behind = (file.readline() for _ in range(3))
        except OSError:
            return False
        return not behind and (first.startswith(b"step,time_ps,") or not first)

    def sweep(self) -> None:
        """Remove what killed processes left of writing these files, and others of the prefix."""
        prefix = self.final.with_name(self.final.name.removesuffix(".final.extxyz"))
        for path in (prefix, *self.paths):
            remove_left(path)

    def check_names(self) -> None:
        """Refuse files that can never be written.

        Raises:
            OptionError: one name for two files.
            UnavailableError: the library of a format is missing.
        """
        if len(set(self.paths)) < len(self.paths):
            names = ", ".join(str(path) for path in self.paths)
            raise OptionError(f"two outputs of the run have one name: {names}")
        for file in self.frames:
            file.require_library()

    def check_inputs(self, inputs: Iterable[str]) -> None:
        """Refuse to write over what the run reads, also with ``force``.

        Raises:
            OptionError: an output is one of them.
        """
        read = {Path(name).resolve() for name in inputs}
        for path in self.paths:
            if path.resolve() in read:
                raise OptionError(
                    f"{path} is read by the run and would be overwritten by it: choose another "
                    "name (--output, --log, --trajectory)"
                )

    def check_targets(self, continued: frozenset[Path] = frozenset()) -> None:
        """Refuse files that cannot be written, or are there.

        Args:
            continued: files that a restart continues.

        Raises:
            OptionError: one name for two files.
            UnavailableError: the library of a format is missing.
            OutputExistsError: a file exists and ``force`` is False.
        """
        self.check_names()
        for path in self.paths:
            check_can_be(path.parent)
            if path.exists() and not self.force and path not in continued:
                raise OutputExistsError(
                    f"{path} exists: choose another --output, continue it with --restart, or "
                    "overwrite it with --force"
                )

    def check(self, continued: frozenset[Path] = frozenset()) -> None:
        """Refuse to overwrite files; make missing folders; remove what kills left.

        Args:
            continued: files that a restart continues.

        Raises:
            NNPError: see `check_targets`, or a folder cannot be made.
        """
        self.check_targets(continued)
        self.sweep()
        for path in self.paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise NNPError(
                    f"cannot make the folder {path.parent}: {error.strerror or error}"
                ) from error
