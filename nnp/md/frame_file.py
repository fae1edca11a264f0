"""A trajectory as requested: its name, how often to write it, and what to include."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nnp.distribution import install
from nnp.errors import OptionError, UnavailableError
from nnp.values import require_whole

SUFFIXES = (".extxyz", ".xyz", ".traj", ".dcd", ".xtc", ".pdb", ".h5md")
# Hold one time between frames.
WITH_ONE_TIMESTEP = (".dcd", ".xtc")
# Are read beside a topology: they have no elements, or readers look for none.
WITHOUT_ELEMENTS = (*WITH_ONE_TIMESTEP, ".h5md")
# ASE reads them, with elements, momenta and forces.
WITH_EVERYTHING = (".extxyz", ".xyz", ".traj")
_WORDS = "every=STEPS, wrapped, no-forces, no-velocities"


@dataclass(frozen=True)
class FrameFile:
    """One trajectory.

    Attributes:
        path: ``.extxyz`` (or ``.xyz``), ``.traj`` (ASE), ``.dcd``, ``.xtc``, ``.pdb``
            or ``.h5md``.
        every: steps between two frames; None: ``frame_interval`` of the settings.
        forces: whether energy and forces are in it, where the format holds them.
        velocities: likewise.
        wrapped: whether atoms are put back into the cell; else they go where they go, which is
            what diffusion is computed from.

    Raises:
        OptionError: a name without a format, or an interval below 1.
    """

    path: Path
    every: int | None = None
    forces: bool = True
    velocities: bool = True
    wrapped: bool = False

    def __post_init__(self) -> None:
        if self.path.suffix not in SUFFIXES:
            raise OptionError(
                f"trajectory {self.path}: its suffix decides the format: allowed are "
                f"{', '.join(SUFFIXES)}"
            )
        if self.every is not None:
            require_whole(f"trajectory {self.path}: every", self.every, 1)

    def require_library(self) -> None:
        """Refuse a format whose library is not installed.

        Raises:
            UnavailableError: it is not.
        """
        if self.path.suffix == ".h5md" and find_spec("h5py") is None:
            raise UnavailableError(
                f"{self.path}: writing H5MD needs h5py, which is not installed: "
                f"{install('analysis')}, or take another format"
            )

    @classmethod
    def parse(cls, words: Sequence[str]) -> FrameFile:
        """From the words of ``--trajectory``.

        Args:
            words: the name, then any of ``every=STEPS``, ``wrapped``, ``no-forces``,
                ``no-velocities``.

        Raises:
            OptionError: another word.

        >>> FrameFile.parse(["md.xtc", "every=10"]).every
        10
        """
        found = cls(Path(words[0]))
        for word in words[1:]:
            name, _, value = word.partition("=")
            if name == "every" and value.isdigit():
                found = replace(found, every=int(value))
            elif word in ("no-forces", "no-velocities"):
                off: Any = {word.removeprefix("no-"): False}
                found = replace(found, **off)
            elif word == "wrapped":
                found = replace(found, wrapped=True)
            else:
                raise OptionError(f"trajectory {words[0]}: {word!r} is unknown: allowed: {_WORDS}")
        return found
