"""Several stages in one file: what each does, and where a run of all of them stands.

Each stage has files of its own, ``PREFIX.NUMBER-NAME.…``, and begins with the ``.final.extxyz`` of
the one before, also where nothing interrupted them: what goes on later is what would have gone on.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nnp.errors import FileFormatError, OptionError, OutputExistsError
from nnp.io.files import reason
from nnp.io.structures import ReadOptions, read
from nnp.md.frame_file import FrameFile
from nnp.md.outputs import Outputs
from nnp.md.relax_settings import RelaxSettings
from nnp.md.restart import read_restart
from nnp.md.settings import MDSettings
from nnp.units import FS_PER_PS
from nnp.values import require_number, require_whole

_DYNAMICS = tuple(field.name for field in fields(MDSettings))
_OF_A_RUN = (*_DYNAMICS, "name", "time_ps", "trajectory")
_OF_MINIMISATION = ("name", "minimize", "optimizer", "steps")
# Under this name the last state of a minimisation says which force was asked for, eV/Å.
MINIMISED_TO = "minimised_to"
# Of the whole file, beside what stages may say, which is then the default of all.
MACHINE = ("route", "platform", "engine", "threads", "dtype")
READING = ("units", "types", "lammps_units", "velocity_unit", "any_geometry")
_OF_THE_FILE = (
    *("potential", "structure", "output", "repeat", "hydrogen_mass", "stage"),
    *MACHINE,
    *READING,
)


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        number: from 1.
        name: part of its files' names.
        settings: of a run, or of a minimisation.
        frames: trajectories by the words of ``--trajectory``, with names as suffixes of the
            stage's own: ``["xtc", "every=10"]``; empty: one extxyz.
    """

    number: int
    name: str
    settings: MDSettings | RelaxSettings
    frames: tuple[tuple[str, ...], ...] = ()

    def prefix(self, prefix: str) -> str:
        """Beginning of its files' names."""
        return f"{prefix}.{self.number}-{self.name}"

    def outputs(self, prefix: str, force: bool) -> Outputs:
        """Its files."""
        own = self.prefix(prefix)
        files = [FrameFile.parse([f"{own}.{words[0]}", *words[1:]]) for words in self.frames]
        return Outputs.named(own, trajectory=files, force=force)


@dataclass(frozen=True)
class Plan:
    """A file of stages.

    Attributes:
        potential: path or name.
        structure: path.
        output: prefix of all names.
        stages: one or more.
        repeat: copies along each axis, or None.
        hydrogen_mass: u, or None: as the structure has it.
        machine: how forces are computed.
        reading: options for the structure's file.
    """

    potential: str
    structure: str
    output: str
    stages: tuple[Stage, ...]
    repeat: tuple[int, ...] | None
    hydrogen_mass: float | None
    machine: dict[str, Any]
    reading: dict[str, Any]


def read_plan(path: str | Path) -> Plan:
    """Read a file of stages.

    Raises:
        FileFormatError: no such file, or no TOML.
        OptionError: unknown keys or values that are not allowed; names file and stage.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} cannot be read as TOML: {reason(error)}") from None
    try:
        return _plan(table)
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from None


def done_until(plan: Plan) -> int:
    """How many stages, from the first on, are complete.

    Raises:
        OptionError: the file differs from what they were run with, or a later stage
            was begun before one that is not complete.
    """
    done = 0
    for stage in plan.stages:
        if not _is_complete(stage, plan.output):
            break
        stage.outputs(plan.output, force=False).sweep()
        done += 1
    for stage in plan.stages[done + 1 :]:
        there = [path for path in stage.outputs(plan.output, force=False).paths if path.exists()]
        if there:
            earlier = plan.stages[done]
            raise OptionError(
                f"stage {earlier.number} ({earlier.name}) is not complete, but {there[0]} of a "
                "later one is there: was the file of stages changed? Put it back, choose another "
                "output, or start over with --force"
            )
    return done


def require_new(plan: Plan, force: bool) -> None:
    """Refuse files that are there.

    Raises:
        OutputExistsError: a stage's file is there, and not ``force``.
    """
    there = _there(plan)
    if there and not force:
        raise OutputExistsError(
            f"{there[0]} exists: continue with --resume, choose another output, or overwrite it "
            "with --force"
        )


def begin_anew(plan: Plan) -> None:
    """Forget how far the stages had come."""
    for path in reversed(_there(plan)):  # what a kill leaves of them are the first stages
        path.unlink()


def _there(plan: Plan) -> list[Path]:
    paths = [path for stage in plan.stages for path in stage.outputs(plan.output, True).paths]
    return [path for path in paths if path.exists()]


def hand_over(start: Atoms, path: Path) -> Atoms:
    """The structure that a stage begins with.

    Args:
        start: of the whole run, with masses, constraints and names, which a file may not hold.
        path: last state of the stage before.

    Raises:
        FileFormatError: it cannot be read, or holds other atoms.
    """
    last = read(path, ReadOptions(any_geometry=True), -1).frames[0]
    if not np.array_equal(last.numbers, start.numbers):
        raise FileFormatError(f"{path} holds other atoms than the run began with")
    found: Any = start.copy()  # type: ignore[no-untyped-call]
    found.set_cell(last.cell)
    found.positions = last.positions
    found.arrays.pop("momenta", None)
    if "momenta" in last.arrays:
        found.set_array("momenta", last.arrays["momenta"])
    return found  # type: ignore[no-any-return]


def _is_complete(stage: Stage, prefix: str) -> bool:
    outputs = stage.outputs(prefix, force=False)
    if not outputs.final.exists():
        return False
    if isinstance(stage.settings, RelaxSettings):
        now = stage.settings.force_tolerance
        before = _last(outputs).info.get(MINIMISED_TO, now)
        if before != now:
            raise _otherwise(stage, f"minimize {before:g}, not {now:g}")
        return True
    if not outputs.restart.exists():
        return False
    restart = read_restart(outputs.restart)
    if restart.step < stage.settings.steps:
        return False
    changed = _changes(restart.settings, stage.settings)
    if changed:
        raise _otherwise(stage, changed)
    return bool(_last(outputs).info.get("step") == restart.step)


def _last(outputs: Outputs) -> Atoms:
    return read(outputs.final, ReadOptions(any_geometry=True), -1).frames[0]


def _otherwise(stage: Stage, changed: str) -> OptionError:
    return OptionError(
        f"stage {stage.number} ({stage.name}) is complete, and was run with {changed}: put it "
        "back, choose another output, or start over with --force"
    )


def _changes(before: MDSettings, now: MDSettings) -> str:
    if now.ramps and now.ramp_steps is None:
        now = replace(now, ramp_steps=max(now.steps, 1))
    old, new = before.used | {"steps": before.steps}, now.used | {"steps": now.steps}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)}, not {new.get(name)}" for name in names)


def _plan(table: dict[str, Any]) -> Plan:
    _require_known("", table, (*_OF_THE_FILE, *_DYNAMICS))
    for name in ("potential", "structure"):
        if not isinstance(table.get(name), str):
            raise OptionError(f"{name}: the name of a file is expected")
    rows = table.get("stage")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise OptionError("one [[stage]] or more are expected")
    common = {name: table[name] for name in _DYNAMICS if name in table}
    stages = tuple(_stage(number, row, common) for number, row in enumerate(rows, start=1))
    _require_use(common, stages)
    repeat = table.get("repeat")
    if repeat is not None:
        if not (isinstance(repeat, list) and len(repeat) == 3):
            raise OptionError(f"repeat = {repeat}: three whole numbers are expected")
        for count in repeat:
            require_whole("repeat", count, 1)
    output = table.get("output", "md")
    if not isinstance(output, str):
        raise OptionError(f"output = {output!r}: text is expected, such as 'run/si'")
    Outputs.named(output)  # refuses a folder
    return Plan(
        potential=table["potential"],
        structure=table["structure"],
        output=output,
        stages=stages,
        repeat=None if repeat is None else tuple(repeat),
        hydrogen_mass=table.get("hydrogen_mass"),
        machine={name: table[name] for name in MACHINE if name in table},
        reading={name: table[name] for name in READING if name in table},
    )


def _stage(number: int, row: dict[str, Any], common: dict[str, Any]) -> Stage:
    name = str(row.get("name", "minimise" if "minimize" in row else "run"))
    where = f"stage {number} ({name}): "
    if not name.replace("-", "").replace("_", "").isalnum():
        raise OptionError(f"{where}its name is part of files' names: letters, digits, - and _")
    try:
        if "minimize" in row:
            _require_known("", row, _OF_MINIMISATION)
            known = {k: v for k, v in row.items() if k in ("optimizer", "steps")}
            return Stage(number, name, RelaxSettings(force_tolerance=row["minimize"], **known))
        _require_known("", row, _OF_A_RUN)
        return Stage(number, name, _dynamics(number, row, common), _frames(row))
    except (OptionError, TypeError) as error:
        raise OptionError(f"{where}{error}") from None


def _require_use(common: dict[str, Any], stages: Sequence[Stage]) -> None:
    """Refuse a default that no stage uses."""
    runs = [stage.settings for stage in stages if isinstance(stage.settings, MDSettings)]
    for name, value in common.items():
        lacks = [settings.lack_of(name) for settings in runs]
        if all(lacks):
            why = lacks[0] if lacks else "is of a run, and all stages are minimisations"
            raise OptionError(f"no stage uses {name}={value!r}: it {why}, or leave it out")


def _dynamics(number: int, row: dict[str, Any], common: dict[str, Any]) -> MDSettings:
    said = {name: row[name] for name in _DYNAMICS if name in row}
    for name in ("temperature", "pressure"):
        value = said.get(name)
        if isinstance(value, list):
            if len(value) != 2:
                raise OptionError(f"{name} = {value}: a number, or two of a ramp")
            said[name], said[f"{name}_end"] = value
    chosen: dict[str, Any] = {"seed": require_whole("seed", common.get("seed", 1), 1) + number - 1}
    chosen |= {name: value for name, value in common.items() if name != "seed"}
    if (said.get("ensemble") or chosen.get("ensemble", "nvt")) != "npt":
        chosen = {k: v for k, v in chosen.items() if not k.startswith(("pressure", "barostat"))}
    chosen |= said
    if "time_ps" in row:
        if "steps" in row:
            raise OptionError("time_ps and steps both give the length: leave one out")
        timestep = require_number("timestep", chosen.get("timestep", MDSettings.timestep), 0)
        time_fs = require_number("time_ps", row["time_ps"], 0) * FS_PER_PS
        if time_fs < timestep or timestep == 0:
            raise OptionError(
                f"time_ps={row['time_ps']} is shorter than a step of {timestep:g} fs: give more"
            )
        chosen["steps"] = round(time_fs / timestep)
    elif "steps" not in chosen:
        raise OptionError("how long? Give steps or time_ps")
    found = MDSettings(**chosen)
    found.require_use_of(said)
    return found


def _frames(row: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    given = row.get("trajectory", [])
    lines: Sequence[Any] = [given] if isinstance(given, str) else given
    if not isinstance(lines, list) or not all(isinstance(line, str) and line for line in lines):
        raise OptionError(
            f"trajectory = {given!r}: a list of text is expected, such as "
            '["xtc every=10", "extxyz"]'
        )
    found = tuple(tuple(line.split()) for line in lines)
    for words in found:
        FrameFile.parse([f"x.{words[0]}", *words[1:]])
    return found


def _require_known(where: str, table: dict[str, Any], names: Sequence[str]) -> None:
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]}?" if near else f": known are {', '.join(names)}"
            raise OptionError(f"{where}{name} is unknown{hint}")
