"""Decay of the compact functions."""

from __future__ import annotations

from enum import StrEnum


class Core(StrEnum):
    """Decay of a compact function from its centre (x = 0) to its edge (x = 1)."""

    POLY1 = "p1"  # 1 − 3x² + 2x³
    POLY2 = "p2"  # 1 − 10x³ + 15x⁴ − 6x⁵
    POLY3 = "p3"  # 1 − 35x⁴ + 84x⁵ − 70x⁶ + 20x⁷
    POLY4 = "p4"  # 1 − 126x⁵ + 420x⁶ − 540x⁷ + 315x⁸ − 70x⁹
    EXPONENTIAL = "e"  # exp(1 − 1 / (1 − x²))


# core.h
CORE_NUMBERS = {Core.EXPONENTIAL: 0, Core.POLY1: 1, Core.POLY2: 2, Core.POLY3: 3, Core.POLY4: 4}
