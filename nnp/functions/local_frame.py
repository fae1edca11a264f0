"""The descriptor of Deep Potential (2018): neighbours in a frame that two of them define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.cutoffs import Cutoff
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions.base import WholeNeighborhood, WithCutoff

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

COMPONENTS = ("r", "x", "y", "z")


@dataclass(frozen=True)
class LocalFrame(WholeNeighborhood, WithCutoff):
    """1/r, x/r², y/r² or z/r² of the n-th nearest neighbour of an element, times f_c(r).

    Zhang, Han, Wang, Car and E, Phys. Rev. Lett. 120, 143001 (2018),
    doi:10.1103/PhysRevLett.120.143001; Wang et al., Comput. Phys. Commun. 228, 178 (2018),
    doi:10.1016/j.cpc.2018.03.016. x, y and z are along e_x ∝ r_ia, e_y ∝ r_ib − (r_ib · e_x) e_x
    and e_z = e_x × e_y of the atom's own frame; a and b are its nearest neighbours, of any element
    or of those named. The published f_c is hard: 1 up to r_c.

    The function is not smooth: where a or b, or the order of two neighbours of one element,
    changes, x, y and z jump, and with them the energy; with a hard f_c this also happens where a
    neighbour passes r_c. A mirror image has another energy. See docs/studies/local_frame.md.

    Definitions that the paper leaves open: if no other neighbour has the element of a, or b, the
    nearest of any element is taken. b is the nearest that is off the line through the atom and a
    (sin θ > 0.01); if there is none, y and z of all are 0. A missing neighbour gives 0. Equally
    distant neighbours are ordered as in the list: their numbering decides, and the energy may
    depend on it.

    Attributes:
        neighbor: symbol of the neighbour.
        place: 1 for the nearest of that element, 2 for the next, and so on.
        component: ``"r"`` for 1/r; ``"x"``, ``"y"``, ``"z"`` for x/r², y/r², z/r².
        axes: symbols of a and b; None: of any element.
        cutoff: f_c.
    """

    neighbor: str
    place: int
    component: str
    axes: tuple[str, str] | None
    cutoff: Cutoff

    number: ClassVar[int] = 0
    name: ClassVar[str] = "local_frame"

    def __post_init__(self) -> None:
        if not isinstance(self.place, int) or self.place < 1:
            raise OptionError(f"place={self.place!r} of a local frame: 1 is the nearest neighbour")
        if self.component not in COMPONENTS:
            allowed = ", ".join(COMPONENTS)
            raise OptionError(
                f"component={self.component!r} of a local frame: allowed are {allowed}"
            )
        if self.axes is not None and len(self.axes) != 2:
            raise OptionError(f"axes={self.axes!r} of a local frame: two symbols are expected")

    @property
    def neighbor_symbols(self) -> tuple[str, ...]:
        """The neighbour's element, then those of the axes."""
        return tuple(dict.fromkeys((self.neighbor, *(self.axes or ()))))

    @property
    def shared(self) -> tuple[Any, ...]:
        """Functions of one frame are evaluated together."""
        return (self.axes, self.cutoff)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        from nnp.functions.torch_local_frame import LocalFrameTerms

        return LocalFrameTerms

    def sort_key(self) -> tuple[Any, ...]:
        """By cutoff and frame, element, distance: the order of the paper."""
        axes = tuple(atomic_number(symbol) for symbol in self.axes or ())
        where = (atomic_number(self.neighbor), self.place, COMPONENTS.index(self.component))
        return (*self.cutoff_key, axes, *where)

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        shown = "1/r" if self.component == "r" else f"{self.component}/r²"
        axes = "nearest" if self.axes is None else "-".join(self.axes)
        return f"{shown} place={self.place} axes={axes} r_c={self.radius:.5g}"

    def describe(self) -> str:
        """See `SymmetryFunction.describe`."""
        return f"{self.kind} {self.neighbor} {self.parameter_text()}"

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """See `SymmetryFunction.from_entry`."""
        axes = entry["axes"]
        return super().from_entry({**entry, "axes": None if axes is None else tuple(axes)})
