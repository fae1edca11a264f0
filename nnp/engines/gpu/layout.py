"""The buffers that host and GPU kernels share: the same numbers as kernels/gpu/layout.inc."""

from __future__ import annotations

# box, float64
BOX_CELL, BOX_INVERSE, BOX_REACH, BOX_ORIGIN = 0, 9, 18, 21
BOX_UNITS, BOX_PERIODIC, BOX_MOVED2, BOX_REACH2, BOX_SIZE = 24, 27, 30, 31, 32

# frame, real
FRAME_CELL, FRAME_UNITS, FRAME_SCALE, FRAME_LIMIT, FRAME_SIZE = 0, 9, 12, 13, 14

# state, int32; the first STATE_COUNTERS are what an evaluation reports
STATE_REBUILD, STATE_LOST, STATE_FAILED, STATE_EXTRAPOLATING, STATE_COUNTERS = 0, 1, 2, 3, 4
STATE_ROOM, STATE_MOST, STATE_ENTRY_ROOM, STATE_SIZE = 4, 5, 6, 8

# status of an atom
STATUS_NOT_FINITE, STATUS_OVERLAP, STATUS_TOO_LARGE = 1, 2, 4

# what an evaluation is asked for
WANT_ENERGY, WANT_FORCES, WANT_VIRIAL, WANT_DESCRIPTORS, GIVEN_GRADIENT = 1, 2, 4, 8, 16
