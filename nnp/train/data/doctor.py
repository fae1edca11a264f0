"""The data report: what a set holds, what looks wrong, what a fit would leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nnp.errors import NNPError
from nnp.io.structures.suggest import key_options
from nnp.train.data import consistency
from nnp.train.data.checks import check
from nnp.train.data.compositions import composition_finding
from nnp.train.data.dataset import Dataset
from nnp.train.data.facts import Facts, Spread, facts
from nnp.train.data.findings import DEFAULT_DROP, KINDS, Finding
from nnp.values import counted

_WIDTH = 80
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class DataReport:
    """Everything that is reported about a data set before a fit.

    Attributes:
        facts: in numbers.
        findings: of structures, by kind; and of the whole set, without a kind.
        suggested: keys that could be labels, by label.
        notes: what was understood of the files.
        problem: why no fit can be made of it; empty where one can.
    """

    facts: Facts
    findings: list[Finding]
    suggested: dict[str, str]
    notes: tuple[str, ...]
    problem: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Structures with findings of each kind."""
        counts: Counter[str] = Counter()
        for finding in self.findings:
            counts[finding.kind] += len(finding.indices)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    def table(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "facts": self.facts.table(),
            "findings": [asdict(finding) for finding in self.findings],
            "counts": self.counts,
            "dropped_by_default": list(DEFAULT_DROP),
            "suggested_keys": self.suggested,
            "notes": list(self.notes),
            "problem": self.problem,
        }

    def lines(self, dropped: Sequence[str] = DEFAULT_DROP) -> list[str]:
        """For a terminal of 80 columns.

        Args:
            dropped: kinds of findings that a fit leaves out.
        """
        found = [line for row in _rows(self.facts) for line in folded(*row)]
        if self.suggested:
            found += folded("keys", f"has {', '.join(self.suggested.values())}:")
            found += folded("", key_options(self.suggested))
        return found + list(self._finding_lines(dropped))

    def _finding_lines(self, dropped: Sequence[str]) -> Iterator[str]:
        yield ""
        for finding in self.findings:
            if not finding.kind:
                yield from folded("look at", str(finding))
        for kind, count in self.counts.items():
            done = "left out" if kind in dropped else "kept"
            yield from folded(kind, f"{counted(count, 'structure')} {KINDS[kind].title}; {done}")
            first = [f for f in self.findings if f.kind == kind]
            for finding in first[:_SHOWN]:
                yield from folded("", f"· {finding}")
            if len(first) > _SHOWN:
                yield from folded("", f"· and {len(first) - _SHOWN} more")
        if self.problem:
            yield from folded("problem", self.problem)
        elif not self.findings:
            yield "nothing looks wrong"


def examine(dataset: Dataset) -> DataReport:
    """Look at a data set (of at least one structure) from all sides."""
    known, problem = facts(dataset), ""
    found = [Finding("settings", text) for text in dataset.contradictions]
    found += consistency.look(dataset)
    found += _of_the_set(known)
    try:
        found += check(dataset)
    except NNPError as error:
        problem = str(error)
    return DataReport(known, found, dataset.suggested, dataset.notes, problem)


def _of_the_set(known: Facts) -> Iterator[Finding]:
    if known.undetermined:
        yield composition_finding(known.undetermined)
    for name, what in (("energy", "no energy"), ("forces", "no forces")):
        lacking = known.structures - known.labels.get(name, 0)
        if 0 < lacking < known.structures:
            yield Finding(
                "labels", f"{counted(lacking, 'structure')} of {known.structures} with {what}"
            )
    if "forces" not in known.labels and known.labels:
        yield Finding("labels", "no forces at all: a fit needs many more structures without them")
    if "energy" not in known.labels and "forces" in known.labels:
        yield Finding(
            "labels",
            "no energies at all: forces do not tell those of compositions or phases apart",
        )


def _rows(known: Facts) -> Iterator[tuple[str, str]]:
    atoms = f"{counted(known.atoms, 'atom')}, {_span(known.sizes, '.0f')} in a structure"
    yield "structures", f"{known.structures} with {atoms}"
    yield (
        "elements",
        ", ".join(
            f"{s} {own['atoms']} in {own['structures']}" for s, own in known.elements.items()
        ),
    )
    volume = f"; {_span(known.volume, '.3g')} Å³ per atom" if known.volume else ""
    yield "cells", ", ".join(f"{name} {n}" for name, n in known.cells.items()) + volume
    if len(known.groups) > 1:
        yield "groups", ", ".join(f"{name or '(none)'} {n}" for name, n in known.groups.items())
    labels = ", ".join(f"{name} {n}" for name, n in known.labels.items())
    yield "labels", labels or "none"
    if known.energy:
        e = known.energy
        yield "energy", f"{_span(e, '.6g')} eV/atom, mean {e.mean:.6g}, deviation {e.deviation:.3g}"
        offsets = ", ".join(f"{s} {value:.6g}" for s, value in known.reference_energies.items())
        yield (
            "",
            f"per element {offsets} eV; leaves {1e3 * (known.energy_rest or 0):.4g} meV/atom",
        )
    if known.forces:
        f = known.forces
        sizes = f"median {f.median:.3g}, 99 % below {f.high:.3g}, largest {f.largest:.4g} eV/Å"
        yield "forces", f"{sizes}; components rms {f.rms:.3g}, mean size {f.mae:.3g}"
    near = ", ".join(f"{mean:.3g} in {r:g} Å" for r, (mean, _) in known.neighbors.items())
    yield "neighbours", near or "none looked at"
    if known.shortest:
        yield "shortest", ", ".join(f"{pair} {r:.2f}" for pair, r in known.shortest.items()) + " Å"


def _span(spread: Spread, form: str) -> str:
    low, high = f"{spread.smallest:{form}}", f"{spread.largest:{form}}"
    return low if low == high else f"{low} to {high}"


def folded(head: str, text: str) -> Iterator[str]:
    """Text behind a head of sixteen columns, in lines of eighty."""
    line, indent = f"{head:16s}", " " * 16
    empty = True
    for word in text.split():
        if len(line) + len(word) + (not empty) > _WIDTH and not empty:
            yield line.rstrip()
            line, empty = indent, True
        line += word if empty else f" {word}"
        empty = False
    yield line.rstrip()
