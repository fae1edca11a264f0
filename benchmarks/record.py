"""JSON of a benchmark: its measurements, and the table that it printed."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from nnp.bench.measurement import Measurement, as_record


def write_record(
    path: str, measurements: Sequence[Measurement], header: list[str], rows: list[list[str]]
) -> None:
    """With the command of this process, machine and commit."""
    record = as_record(measurements, shlex.join(sys.argv))
    record["table"] = {"header": header, "rows": rows}
    Path(path).write_text(json.dumps(record, indent=1) + "\n")
