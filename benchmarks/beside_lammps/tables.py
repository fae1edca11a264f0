"""Tables of ``nnp bench --lammps``, in a file of their own or in a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnp.bench.measurement import Measurement
from nnp.cli.table import markdown_table
from nnp.errors import NNPError
from nnp.io.files import replacing

HEADER: tuple[str, ...] = ("subject", "atoms", "threads", "steps", "µs/step", "spread")
HEADER += ("k atom-steps/s", "ns/day", "k atom-steps per CPU s")


def row(measurement: Measurement) -> tuple[str, ...]:
    """Cells of the table; the last is of the fastest block, and of hosts only."""
    m, days = measurement, measurement.ns_per_day
    micro, busy = 1e6 * m.n_atoms, min(measurement.details["processor_seconds"])
    return (
        m.subject,
        str(m.n_atoms),
        str(m.details.get("threads", 1)),
        str(m.details["block_steps"]),
        _digits(micro / m.rate),
        f"{_digits(micro / m.fast)}-{_digits(micro / m.slow)}",
        _digits(m.rate / 1e3),
        "" if days is None else _digits(days),
        "" if m.details.get("device") else _digits(m.n_atoms / busy / 1e3),
    )


def page_of(record: Mapping[str, Any]) -> str:
    """Conditions, machine, command and table, from what ``--json`` writes and from nothing else."""
    found = [Measurement(**measurement) for measurement in record["measurements"]]
    machine = record["machine"]
    programs = dict.fromkeys(f"{m.details['program']} {m.details['version']}" for m in found)
    return (
        f"{record['title']}. {', '.join(programs)}; {machine['processor']}, {machine['cores']} "
        f"cores, load {machine['load']:.1f}, {machine['date'][:10]}, commit {machine['commit']}.\n"
        f"{_agreement(found)}\n```bash\n{record['command']}\n```\n\n"
        f"{markdown_table(HEADER, [row(m) for m in found])}\n"
    )


def check_page(target: str) -> None:
    """Whether ``FILE#NAME`` is a page with a place for the table; any other target may be new.

    Raises:
        NNPError: the page or the place is missing.
    """
    file, name = _split(target)
    if name:
        _replaced(file, name, "")


def write_page(target: str, text: str) -> None:
    """Write the text as ``FILE``, or for ``FILE#NAME`` between two lines of the page.

    The lines are ``<!-- table NAME -->`` and ``<!-- end of table NAME -->``.

    Raises:
        NNPError: the page or the place is missing, or the file system refuses.
    """
    file, name = _split(target)
    whole = _replaced(file, name, text) if name else text
    with replacing(file, force=True) as scratch:
        scratch.write_text(whole, encoding="utf-8")


def _split(target: str) -> tuple[Path, str]:
    file, _, name = target.partition("#")
    return Path(file), name


def _replaced(file: Path, name: str, text: str) -> str:
    begin, end = f"<!-- table {name} -->\n", f"<!-- end of table {name} -->\n"
    try:
        page = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NNPError(
            f"{file} cannot be read as a page ({error}): --markdown FILE writes a file of its own"
        ) from None
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise NNPError(
            f"{file} has no one place for a table {name!r}: put the lines {begin.strip()} and "
            f"{end.strip()} there, or leave out #{name} and choose another file"
        )
    pattern = f"(?<={re.escape(begin)}).*(?={re.escape(end)})"
    return re.sub(pattern, lambda _: text, page, flags=re.DOTALL)


def _agreement(found: Sequence[Measurement]) -> str:
    asked = [m.details for m in found if "force_difference_ev_per_angstrom" in m.details]
    if not asked:
        return ""
    energy = max(details["energy_difference_ev_per_atom"] for details in asked)
    force = max(details["force_difference_ev_per_angstrom"] for details in asked)
    return (
        "Before the clock started, energies and forces of the potential in all programs and at all "
        f"sizes were the same within {energy:.1g} eV/atom and {force:.1g} eV/Å.\n"
    )


def _digits(value: float) -> str:
    """Three digits, and those before the point in any case."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
