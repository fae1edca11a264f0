"""``generate.in``, ``train.in`` and ``predict.in``: ænet's three input files."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nnp.errors import FileFormatError
from nnp.io.aenet.text import fortran_number
from nnp.io.archive import read_bytes
from nnp.networks import Activation

_COMMENT = ("!", "#", "%")
_EVERY = 100.0  # per cent
_FLAGS = {"timing", "debug", "verbosity"}
_ACTIVATIONS = {
    "linear": Activation.IDENTITY,
    "tanh": Activation.TANH,
    "sigmoid": Activation.LOGISTIC,
    "mtanh": Activation.SCALED_TANH,
    "twist": Activation.TWISTED_TANH,
}
_SHORT = {"l": "linear", "t": "tanh", "s": "sigmoid", "m": "mtanh", "w": "twist"}
_ACTIVATIONS |= {letter: _ACTIVATIONS[name] for letter, name in _SHORT.items()}


@dataclass(frozen=True)
class GenerateInput:
    """``generate.in``: elements with their energies (eV), set-ups, files of structures."""

    path: Path
    output: str
    energies: dict[str, float]
    setups: dict[str, str]
    files: tuple[str, ...]
    all_forces: bool = True  # of aenet-PyTorch: FORCESPERCENT of 100


@dataclass(frozen=True)
class NetworkLine:
    """A line of NETWORKS in ``train.in``."""

    file: str
    hidden: tuple[int, ...]
    activations: tuple[Activation, ...]


@dataclass(frozen=True)
class TrainInput:
    """``train.in``; options of the method by its words, all lower case."""

    path: Path
    training_set: str
    networks: dict[str, NetworkLine]
    test_percent: float = 10.0
    iterations: int = 10
    max_energy: float | None = None
    save_energies: bool = False
    method: str = "bfgs"
    options: dict[str, float] = field(default_factory=dict)
    # of aenet-PyTorch
    forces: float = 0.0  # alpha
    batch: int | None = None
    max_forces: float | None = None  # of a component, eV/Å
    regularization: float = 0.0
    seed: int | None = None
    split_seed: int | None = None
    left_out: tuple[str, ...] = ()  # keywords without a meaning here


@dataclass(frozen=True)
class PredictInput:
    """``predict.in``."""

    path: Path
    types: tuple[str, ...]
    networks: dict[str, str]
    files: tuple[str, ...]
    forces: bool = False
    atomic_energies: bool = False


class Lines:
    """Lines that say something, each with its keyword; comments between them are skipped."""

    def __init__(self, path: Path, known: Collection[str]) -> None:
        self.path, self._known = path, known
        self._lines = read_bytes(path).decode("utf-8", errors="replace").splitlines()
        self._at = 0

    @property
    def keywords(self) -> Collection[str]:
        """All that are known, in lower case."""
        return self._known

    def peek(self) -> list[str]:
        """What `next` will give; nothing at the end."""
        at = self._at
        try:
            return self.next()
        except FileFormatError:
            return []
        finally:
            self._at = at

    def error(self, text: str) -> FileFormatError:
        """At the line that was read last."""
        return FileFormatError(f"{self.path}, line {self._at}: {text}")

    def next(self) -> list[str]:
        """Words of the next line that is neither blank nor a comment.

        Raises:
            FileFormatError: the file ends.
        """
        while self._at < len(self._lines):
            line = self._lines[self._at].strip()
            self._at += 1
            if line and not line.startswith(_COMMENT):
                return line.split()
        raise FileFormatError(f"{self.path} ends where more is expected")

    def keyword(self) -> tuple[str, list[str]]:
        """The next keyword in lower case, and what stands after it; empty at the end.

        Raises:
            FileFormatError: nobody knows it.
        """
        try:
            words = self.next()
        except FileFormatError:
            return "", []
        name = words[0].lower()
        if name not in self._known:
            close = difflib.get_close_matches(name, sorted(self._known), n=1, cutoff=0.6)
            hint = f"did you mean {close[0].upper()}?" if close else "ænet has no such keyword"
            raise self.error(f"the keyword {words[0]!r} is unknown: {hint}")
        return name, words[1:]

    def number(self, words: list[str], place: int = 0) -> float:
        """One of the words as Fortran reads it."""
        if len(words) <= place:
            raise self.error("a number is missing")
        return fortran_number(words[place], f"{self.path}, line {self._at}")

    def count(self, words: list[str]) -> int:
        """A whole number."""
        value = self.number(words)
        if value != int(value) or not 0 <= value <= 10_000_000:
            raise self.error(f"{words[0]!r} where a whole number is expected")
        return int(value)

    def counted(self, words: list[str]) -> int:
        """A number after the keyword or on the next line."""
        return self.count(words or self.next())

    def flag(self, words: list[str]) -> bool:
        """Alone, or ``.true.`` and ``.false.``."""
        return not words or words[0].lower().strip(".").startswith("t")

    def pair(self) -> tuple[str, str]:
        """Element and file of the next line."""
        words = self.next()
        if len(words) < 2:
            raise self.error("an element and a file are expected")
        return words[0], words[1]

    def paths(self, words: list[str]) -> tuple[str, ...]:
        """A number, and as many lines."""
        count = self.counted(words)
        found: list[str] = []
        for _ in range(count):
            if not self.peek():
                raise self.error(f"FILES has {count} lines, and {len(found)} follow")
            found.append(" ".join(self.next()))
        if (more := self.peek()) and more[0].lower() not in self._known:
            raise self.error(f"FILES has {len(found)} lines, and another follows: {more[0]}")
        return tuple(found)

    def alone(self, name: str, words: list[str]) -> None:
        """Refuse words after a keyword whose values ænet reads from the next line."""
        if words and not words[0].startswith(_COMMENT):
            raise self.error(
                f"{name.upper()} {' '.join(words)}: ænet reads this from the next line: write it "
                "there"
            )

    def once(self, table: str, symbol: str, known: Collection[str]) -> None:
        """Refuse an element that is named a second time, of which ænet would take one."""
        if symbol in known:
            raise self.error(f"{table} names {symbol} twice: once is allowed")

    def values(self) -> tuple[list[str], dict[str, float]]:
        """The next line as plain words, and ``key=value`` ones in lower case."""
        plain, options = [], {}
        for word in self.next():
            key, equals, value = word.partition("=")
            if not equals:
                plain.append(word.lower())
            elif key.lower() == "method":
                plain.insert(0, value.lower())
            else:
                where = f"{self.path}, line {self._at}"
                options[key.lower()] = fortran_number(value, where)
        return plain, options


def read_generate(path: Path) -> GenerateInput:
    """Read ``generate.in``.

    Raises:
        FileFormatError: an unknown keyword or a value that cannot be; names the line.
    """
    known = {"output", "types", "setups", "files", "forces", "forcespercent", *_FLAGS}
    lines, output = Lines(path, known), "refdata.train"
    energies: dict[str, float] = {}
    setups: dict[str, str] = {}
    files: tuple[str, ...] = ()
    all_forces = True
    while name := (found := lines.keyword())[0]:
        words = found[1]
        if name == "output" and words:
            output = words[0]
        elif name == "types":
            for _ in range(lines.counted(words)):
                own = lines.next()
                lines.once("TYPES", own[0], energies)
                energies[own[0]] = lines.number(own, 1)
        elif name == "setups":
            if not energies:
                raise lines.error("SETUPS before TYPES")
            setups = dict(lines.pair() for _ in energies)
        elif name == "files":
            files = lines.paths(words)
        elif name == "forcespercent":
            all_forces = lines.number(words) >= _EVERY
    if missing := [symbol for symbol in energies if symbol not in setups]:
        raise FileFormatError(f"{path}: no set-up for {', '.join(missing)}")
    if not energies or not files:
        raise FileFormatError(f"{path}: TYPES, SETUPS and FILES are expected")
    return GenerateInput(path, output, energies, setups, files, all_forces)


# Read by their number, and told that they change nothing.
_NOTHING_HERE = {
    "sampling": "structures are always mixed",
    "memory_mode": "memory is planned from what there is",
    "iterwrite": "models are kept every epoch",
    "verbose": "log.csv has every epoch",
    "save_forces": "nnp evaluate writes forces",
}
# Keyword → field of `TrainInput`.
_NUMBERS = {
    "testpercent": "test_percent",
    "maxenergy": "max_energy",
    "maxforces": "max_forces",
    "regularization": "regularization",
}
_COUNTS = {
    "iterations": "iterations",
    "batchsize": "batch",
    "npseed": "split_seed",
    "phseed": "seed",
    "ptseed": "seed",
}


def read_train(path: Path) -> TrainInput:
    """Read ``train.in`` of ænet or aenet-PyTorch.

    Raises:
        FileFormatError: an unknown keyword or a value that cannot be; names the line.
    """
    known = {
        "trainingset", "save_energies", "save_energy", "method", "networks", "forces",
        *_NUMBERS, *_COUNTS, *_FLAGS, *_NOTHING_HERE,
    }  # fmt: skip
    lines = Lines(path, known)
    values: dict[str, object] = {}
    networks: dict[str, NetworkLine] = {}
    left_out = []
    while name := (found := lines.keyword())[0]:
        words = found[1]
        if name == "trainingset" and words:
            values["training_set"] = words[0]
        elif name in _NUMBERS:
            values[_NUMBERS[name]] = lines.number(words)
        elif name in _COUNTS:
            values[_COUNTS[name]] = lines.counted(words)
        elif name in ("save_energies", "save_energy"):
            values["save_energies"] = lines.flag(words)
        elif name == "method":
            lines.alone(name, words)
            plain, values["options"] = lines.values()
            values["method"] = plain[0] if plain else "bfgs"
        elif name == "forces":
            values["forces"] = lines.values()[1].get("alpha", 0.1) if lines.flag(words) else 0.0
        elif name == "networks":
            networks = _networks(lines)
        elif name in _NOTHING_HERE:
            left_out.append(f"{name.upper()}: {_NOTHING_HERE[name]}")
    if "training_set" not in values or not networks:
        raise FileFormatError(f"{path}: TRAININGSET and NETWORKS are expected")
    return TrainInput(path=path, networks=networks, left_out=tuple(left_out), **values)  # type: ignore[arg-type]


def _networks(lines: Lines) -> dict[str, NetworkLine]:
    """All lines to the end of the file, or to the next keyword."""
    found: dict[str, NetworkLine] = {}
    while (words := lines.peek()) and words[0].lower() not in lines.keywords:
        lines.next()
        if len(words) < 3:
            raise lines.error("an element, a file and a number of hidden layers are expected")
        hidden, activations = [], []
        for word in words[3 : 3 + lines.count(words[2:])]:
            size, _, name = word.partition(":")
            if name.lower() not in _ACTIVATIONS:
                allowed = "linear, tanh, sigmoid, mtanh, twist"
                raise lines.error(
                    f"{word!r}: neurons and one of {allowed} are expected, as 10:tanh"
                )
            hidden.append(lines.count([size]))
            activations.append(_ACTIVATIONS[name.lower()])
        if len(hidden) != lines.count(words[2:]):
            raise lines.error(f"{words[2]} hidden layers, {len(hidden)} are named")
        lines.once("NETWORKS", words[0], found)
        found[words[0]] = NetworkLine(words[1], tuple(hidden), tuple(activations))
    return found


def read_predict(path: Path) -> PredictInput:
    """Read ``predict.in``.

    Raises:
        FileFormatError: an unknown keyword or a value that cannot be; names the line.
    """
    known = {"types", "networks", "forces", "print_atomic_energies", "relax", "files", *_FLAGS}
    lines = Lines(path, known)
    types: tuple[str, ...] = ()
    networks: dict[str, str] = {}
    files: tuple[str, ...] = ()
    flags = {"forces": False, "print_atomic_energies": False}
    while name := (found := lines.keyword())[0]:
        words = found[1]
        if name == "types":
            types = tuple(lines.next()[0] for _ in range(lines.counted(words)))
        elif name == "networks":
            if not types:
                raise lines.error("NETWORKS before TYPES")
            networks = dict(lines.pair() for _ in types)
        elif name in flags:
            flags[name] = lines.flag(words)
        elif name == "files":
            files = lines.paths(words)
        elif name == "relax":
            raise lines.error("RELAX: nnp relax does that, with the files of NETWORKS")
    if not types or not networks:
        raise FileFormatError(f"{path}: TYPES and NETWORKS are expected")
    if missing := [symbol for symbol in types if symbol not in networks]:
        raise FileFormatError(f"{path}: no network for {', '.join(missing)}")
    return PredictInput(
        path, types, networks, files, flags["forces"], flags["print_atomic_energies"]
    )
