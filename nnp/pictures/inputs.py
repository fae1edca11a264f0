"""A picture of what structures put into the networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnp.pictures.figure import new_figure, styled
from nnp.train.data.inputs_seen import InputsSeen


@styled
def input_figure(inputs: Sequence[InputsSeen]) -> Any:
    """Per element and function where atoms lie in the training range, dark where they are many.

    The line above counts, per function, the share of atoms outside of the range.
    """
    if not inputs:
        return None
    figure = new_figure(5.5, 0.6 + 2.4 * len(inputs))
    axes = np.atleast_1d(figure.subplots(len(inputs), 1))
    for axis, own in zip(axes, inputs, strict=True):
        atoms = own.histogram.sum(axis=1) + own.below + own.above
        shares = own.histogram / np.maximum(atoms, 1)[:, None]
        ends = (0.5, len(atoms) + 0.5, 0.0, 1.0)
        axis.imshow(np.sqrt(shares.T), origin="lower", aspect="auto", cmap="Greys", extent=ends)
        for number in own.dead:
            axis.axvline(number + 1, color="C3", lw=1)
        outside = (own.below + own.above) / np.maximum(atoms, 1)
        twin = axis.twinx()
        twin.plot(np.arange(1, len(atoms) + 1), 100 * outside, color="C1", lw=0.8)
        twin.set_ylim(bottom=0)
        twin.set_ylabel("% outside", color="C1", fontsize="small")
        axis.set_ylabel(f"{own.symbol}: range")
    axes[-1].set_xlabel("function (red: one value only)")
    return figure
