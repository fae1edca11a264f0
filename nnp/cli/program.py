"""Parsing, and what errors look like: one line on stderr, exit code 1 (2 for wrong usage)."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, NoReturn

from nnp import __version__
from nnp.cli.help import HelpFormatter, usage_of
from nnp.errors import NNPError
from nnp.terminal import Stream, reserve_descriptors

# Every command, in the order of the help. The module has ``add_parser(subparsers)``, which sets
# ``run``, a function of the parsed arguments that returns the exit code (None: 0).
COMMANDS = (
    "info",
    "predict",
    "convert",
    "relax",
    "md",
    "analyse",
    "eos",
    "demo",
    "train",
    "doctor",
    "evaluate",
    "select",
    "sample",
    "augment",
    "bench",
    "lammps",
)

_DESCRIPTION = "Behler-Parrinello neural network potentials: look at them, run them, convert them."
# What ``nnp`` alone says.
_FIRST_STEPS = f"""\
nnp {__version__}: neural network potentials in OpenMM, ASE and LAMMPS
  nnp demo                   silicon in OpenMM with a bundled potential
  nnp info POTENTIAL         look at a potential: n2p2, RuNNer, ænet, NEP, .nnp
  nnp md POTENTIAL START     run it; nnp predict, relax, analyse, eos, lammps
  nnp train DATA             make one from DFT; nnp doctor DATA: look first
  nnp --help                 all commands; nnp COMMAND --help: one of them"""
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_CLOSED_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its words; those of the process when None.

    Returns:
        0, or 1 after an error, 2 after wrong usage, 130 after Ctrl-C. Output that cannot be shown
        ends no command; where there is nothing but the output, 141 after a closed pipe, else 1.
    """
    reserve_descriptors()
    with _lasting_streams() as out, _warnings_as_lines(), _log_as_lines():
        code, prints = _guarded(sys.argv[1:] if argv is None else list(argv))
        out.flush()
        if code or not prints or out.problem is None:
            return code
        if out.problem.errno == errno.EPIPE:  # as in ``nnp info … | head``
            return _CLOSED_PIPE
        _say(f"error: cannot write to the standard output: {_sentence(out.problem)}")
        return 1


# Option → function of nnp.engines._library, and what it shows.
_FOLDERS = {
    "--include-dir": ("include_dir", "the folder of nnp.h, for C and C++"),
    "--cmake-dir": ("cmake_dir", "the folder of the CMake package nnp"),
}


class _Print(argparse.Action):
    """An option that prints a folder and ends the command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        library = importlib.import_module("nnp.engines._library")
        function, _ = self.const
        print(getattr(library, function)())
        parser.exit()


class Parser(argparse.ArgumentParser):
    """Shows no list of options in its usage and its errors: it is longer than a screen."""

    def option_names(self) -> list[str]:
        """All that begin with a dash."""
        return list(self._option_string_actions)

    def shown_actions(self) -> list[argparse.Action]:
        """All arguments."""
        return list(self._actions)

    def format_usage(self) -> str:
        """One line."""
        return f"usage: {usage_of(self, self._actions)}\n"

    def format_help(self) -> str:
        """That line, then what every option does."""
        self.usage = usage_of(self, self._actions).replace("%", "%%")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """End with code 2."""
        self.exit(
            2, f"usage: {self.prog} …, see {self.prog} --help\n{self.prog}: error: {message}\n"
        )


def build_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of some commands, whose modules are imported for it."""
    parser = Parser(prog="nnp", description=_DESCRIPTION, formatter_class=HelpFormatter)
    parser.add_argument("--version", action="version", version=f"nnp {__version__}")
    for name, folder in _FOLDERS.items():
        parser.add_argument(name, action=_Print, nargs=0, const=folder, help=f"show {folder[1]}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in commands:
        importlib.import_module(f"nnp.cli.{name}").add_parser(subparsers)
    return parser


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The words of a command; those that it does not know are its error and not ``nnp``'s."""
    arguments, unknown = build_parser(_asked_for(words)).parse_known_args(words)
    if unknown:
        parser: Parser = arguments.command
        names = [name for name in parser.option_names() if name.startswith("--")]
        close = get_close_matches(unknown[0].partition("=")[0], names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    _refuse_empty(arguments)
    return arguments


def _refuse_empty(arguments: argparse.Namespace) -> None:
    """An empty word is a shell's variable that was not set; as a name it would be this folder."""
    parser: Parser = arguments.command
    for action in parser.shown_actions():
        value = getattr(arguments, action.dest, None)
        words = value if isinstance(value, list) else [value]
        if value != action.const and any(
            isinstance(word, str) and not word.strip() for word in words
        ):
            name = "/".join(action.option_strings) or action.metavar
            parser.error(f"argument {name}: an empty word: give a value, or leave the option out")


def _asked_for(words: Sequence[str]) -> Sequence[str]:
    """The command of these words; all commands if none is named or general help is wanted."""
    first = next((word for word in words if word != "--debug"), "")
    return (first,) if first in COMMANDS else COMMANDS


@contextmanager
def _lasting_streams() -> Iterator[Stream]:
    """Standard output and error that outlast disks, pipes and terminals."""
    before = sys.stdout, sys.stderr
    out = Stream(sys.stdout)
    sys.stdout, sys.stderr = out, Stream(sys.stderr)
    try:
        yield out
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _guarded(words: Sequence[str]) -> tuple[int, bool]:
    """Read the words, run the command; turn what goes wrong into a line and an exit code.

    Returns:
        The exit code, and whether what the command prints is all that it makes.
    """
    prints = True
    if not words:
        print(_FIRST_STEPS)
        return 0, prints
    try:
        try:
            arguments = _parsed(words)
            prints = arguments.prints
            code = arguments.run(arguments)
        except SystemExit as stop:  # argparse has printed usage or help
            return int(stop.code or 0), prints
    except KeyboardInterrupt:
        _say("interrupted")
        return _INTERRUPTED, prints
    except (NNPError, OSError, MemoryError) as error:
        if "--debug" in words:
            traceback.print_exc()
        _say(f"error: {_sentence(error)}")
        return 1, prints
    return int(code or 0), prints


def _sentence(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"out of memory{f' ({error})' if str(error) else ''}: take fewer atoms or structures"
    if isinstance(error, OSError) and not isinstance(error, NNPError):
        what = f"{error.filename}: " if error.filename else ""
        if error.errno == errno.ENOSPC:
            return f"{what}the disk is full: make room, or write elsewhere"
        return f"{what}{error.strerror or error}"
    return " ".join(str(error).split())


def _say(text: str) -> None:
    sys.stdout.flush()  # what was said before stands before, in one file of both streams too
    print(f"nnp: {text}", file=sys.stderr)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show our warnings as one line each, once; leave libraries' deprecations to developers."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        _say(f"warning: {' '.join(str(message).split())}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        warnings.filterwarnings("default", category=RuntimeWarning, module=r"nnp\.")
        for quiet in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", quiet)
        warnings.showwarning = show
        yield


class _Lines(logging.Handler):
    """Prints what `nnp.io.structures` understood of files, and to stderr what it left out."""

    def emit(self, record: logging.LogRecord) -> None:
        if os.environ.get("RANK", "0") != "0":  # the processes of torchrun read the same files
            return
        if record.levelno >= logging.WARNING:
            _say(record.getMessage())
        else:
            print(record.getMessage())


@contextmanager
def _log_as_lines() -> Iterator[None]:
    log, handler = logging.getLogger("nnp.io.structures"), _Lines()
    before = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = before
