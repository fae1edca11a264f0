"""Which angle a Chebyshev potential was trained with, by its statistics."""

from __future__ import annotations

from collections.abc import Sequence

from nnp.errors import OptionError
from nnp.io.aenet.record import Record


def legacy_angle(records: Sequence[Record]) -> bool:
    """Whether ænet 2.0.0 to 2.0.3 trained these files: x = (2 cos θ − π)/π instead of cos θ.

    With x = cos θ no A_n is ever above A_0, so that a larger one tells of the other angle. All
    files of a potential come from the same program.

    Raises:
        OptionError: no file tells.
    """
    if any(_exceeds(record) for record in records):
        return True
    if all(_order(record) == 0 for record in records):
        return False  # T_0 knows no angle
    if any(record.has_ranges and _order(record) > 1 for record in records):
        return False
    raise OptionError(
        f"{records[0].path}: nothing in it says whether ænet 2.0.4 or an older one trained it, "
        "which take the angle of a Chebyshev basis differently: nnp.load(…, legacy_angle=False) "
        "is for 2.0.4 and for aenet-PyTorch, True for 2.0.0 to 2.0.3; 'nnp convert' has "
        "--legacy-angle yes|no"
    )


def _order(record: Record) -> int:
    return int(record.parameters.ravel()[3])


def _exceeds(record: Record) -> bool:
    """Whether an A_n was above A_0, so that |x| was above 1."""
    radial, angular = (int(record.parameters.ravel()[k]) for k in (1, 3))
    block = slice(radial + 1, radial + 2 + angular)
    lowest, highest, mean = (
        values[block] for values in (record.minimum, record.maximum, record.mean)
    )
    if len(highest) == 0:
        return False
    return bool(
        highest.max() > highest[0] or lowest.min() < -highest[0] or abs(mean).max() > abs(mean[0])
    )
