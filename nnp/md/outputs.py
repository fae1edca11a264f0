"""The files of a run: their names, and whether they may be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnp.errors import NNPError, OptionError, OutputExistsError

TRAJECTORY_SUFFIXES = (".extxyz", ".xyz", ".dcd")


@dataclass(frozen=True)
class Outputs:
    """Where a run writes.

    Attributes:
        log: CSV.
        trajectory: ``.extxyz``, ``.xyz`` or ``.dcd``.
        restart: what a later run continues from; replaced as the run goes on.
        final: the last state, extxyz.
        last_good: the last state that was finite, extxyz; written when the run has to stop.
        force: whether existing files may be overwritten.
    """

    log: Path
    trajectory: Path
    restart: Path
    final: Path
    last_good: Path
    force: bool = False

    @classmethod
    def named(
        cls,
        prefix: str | Path,
        log: str | Path | None = None,
        trajectory: str | Path | None = None,
        force: bool = False,
    ) -> Outputs:
        """Names made from one prefix.

        Args:
            prefix: folder and beginning of the names, such as ``runs/si``.
            log: in place of ``PREFIX.csv``.
            trajectory: in place of ``PREFIX.extxyz``.
            force: whether existing files may be overwritten.

        >>> Outputs.named("runs/si").final.as_posix()
        'runs/si.final.extxyz'
        """
        begin = str(prefix)
        return cls(
            log=Path(log or f"{begin}.csv"),
            trajectory=Path(trajectory or f"{begin}.extxyz"),
            restart=Path(f"{begin}.restart"),
            final=Path(f"{begin}.final.extxyz"),
            last_good=Path(f"{begin}.last-good.extxyz"),
            force=force,
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.log, self.trajectory, self.restart, self.final, self.last_good)

    def check(self, continued: frozenset[Path] = frozenset()) -> None:
        """Refuse what would overwrite; make missing folders.

        Args:
            continued: files that a restart goes on writing.

        Raises:
            OptionError: an unknown suffix, or one name for two files.
            OutputExistsError: a file is there and ``force`` is False.
            NNPError: a folder cannot be made.
        """
        check_suffix(self.trajectory)
        if len(set(self.paths)) < len(self.paths):
            names = ", ".join(str(path) for path in self.paths)
            raise OptionError(f"two outputs of the run have one name: {names}")
        for path in self.paths:
            if path.exists() and not self.force and path not in continued:
                raise OutputExistsError(
                    f"{path} exists: choose another --output, continue it with --restart, or "
                    "overwrite it with --force"
                )
        for path in self.paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise NNPError(
                    f"cannot make the folder {path.parent}: {error.strerror or error}"
                ) from error


def check_suffix(path: Path) -> None:
    """Refuse names that say no format.

    Raises:
        OptionError: the suffix is none of ``TRAJECTORY_SUFFIXES``.
    """
    if path.suffix not in TRAJECTORY_SUFFIXES:
        raise OptionError(
            f"trajectory {path}: its suffix decides the format: allowed are "
            f"{', '.join(TRAJECTORY_SUFFIXES)}"
        )
