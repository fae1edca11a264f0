"""The structures of a fit as samples: kept as far as memory goes, the others made again.

A sample that is not kept costs one more evaluation of the functions each time it is wanted, and
memory for as long as the step lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from nnp.train.data.frames import LabelledStructure
from nnp.train.inputs.features import Sample


class Samples(Sequence[Sample]):
    """Samples of the structures that one process has of a data set.

    Args:
        frames: those structures.
        numbers: which they are in the data set; ascending.
        make: the sample of a structure by its place in ``frames``, and whether it is kept.
        room: bytes of samples that may be kept; the first ones are.
        stress: whether stresses are learned.
        watch: goes through the places of samples that are made to be kept, for progress.
    """

    def __init__(
        self,
        frames: Sequence[LabelledStructure],
        numbers: Sequence[int],
        make: Callable[[int, bool], Sample],
        room: float = float("inf"),
        stress: bool = False,
        watch: Callable[[range], Iterable[int]] = iter,
    ) -> None:
        self.frames, self.stress = frames, stress
        self._places = {number: place for place, number in enumerate(numbers)}
        self._make = make
        self._kept: list[Sample] = []
        for place in watch(range(len(frames))):
            if room <= 0:
                break
            self._kept.append(make(place, True))
            room -= self._kept[-1].nbytes

    @property
    def kept(self) -> int:
        """How many are in memory."""
        return len(self._kept)

    def of(self, numbers: Iterable[int]) -> list[Sample]:
        """Those of the numbered structures that are this process' own."""
        return [self[self._places[n]] for n in numbers if n in self._places]

    def part(self, numbers: Iterable[int]) -> Samples:
        """Those of the numbered structures that are this process' own, kept here or made again."""
        own = [n for n in numbers if n in self._places]
        places = [self._places[n] for n in own]
        frames = [self.frames[place] for place in places]
        return Samples(frames, own, lambda place, _: self[places[place]], 0.0, self.stress)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        place = range(len(self))[index]
        return self._kept[place] if place < len(self._kept) else self._make(place, False)

    def __iter__(self) -> Iterator[Sample]:
        return (self[place] for place in range(len(self)))


def labelled(batch: Sequence[Sample]) -> Iterator[tuple[LabelledStructure, bool]]:
    """Each structure and whether its stress is learned, without making its sample."""
    if isinstance(batch, Samples):
        for frame in batch.frames:
            yield frame, batch.stress and frame.stress is not None
    else:
        for sample in batch:
            yield sample.frame, sample.strain is not None


def chunks(batch: Sequence[Sample], most_atoms: int) -> Iterator[list[Sample]]:
    """Parts of a batch with so many atoms at most, or one structure.

    >>> [[len(s) for s in part] for part in chunks(["ab", "c", "defg", "hi"], 4)]
    [[2, 1], [4], [2]]
    """
    part: list[Sample] = []
    atoms = 0
    for sample in batch:
        if part and atoms + len(sample) > most_atoms:
            yield part
            part, atoms = [], 0
        part.append(sample)
        atoms += len(sample)
    if part:
        yield part
