"""A finished potential that a fit continues: `[run] from`, ``nnp train --from``.

The fit begins with the same function that the potential is, whatever inputs it sees: the first
layer is written for them, and ranges that new data widen are made up for in the same way. An
element that the potential lacks brings its own functions and network, and functions of it to the
others, which begin with weights of zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline
from nnp.committee import Committee
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.io import load
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling
from nnp.terms import RepulsionTerm
from nnp.train.data.baseline import BaselineSettings
from nnp.train.inputs.functions import Functions
from nnp.train.inputs.transform import InputTransform, Spread


@dataclass(frozen=True, eq=False)
class Start:
    """What a fit takes from a potential.

    Attributes:
        potential: where it begins.
        where: its file, for messages.
    """

    potential: Potential
    where: str

    def elements(self, of_data: Iterable[str]) -> tuple[str, ...]:
        """Those of the potential and of the data, by atomic number."""
        return tuple(sorted({*self.potential.elements, *of_data}, key=atomic_number))

    def model(self, symbol: str) -> ElementModel | None:
        """That of an element, if the potential has it."""
        found = [model for model in self.potential.models if model.symbol == symbol]
        return found[0] if found else None

    def functions(self, generated: Functions) -> Functions:
        """The potential's functions, and of the generated ones those that see new elements."""
        known = set(self.potential.elements)
        found: Functions = {}
        for symbol in self.elements(generated):
            own = generated.get(symbol, ())
            if (model := self.model(symbol)) is not None:
                fresh = {f for f in own if not set(f.neighbor_symbols) <= known}
                own = tuple(canonical_order({*model.functions, *fresh}))
            found[symbol] = own
        return found

    def mine(self, symbol: str, functions: Iterable[SymmetryFunction]) -> NDArray[np.bool_]:
        """(s,) which of an element's functions the potential has."""
        model = self.model(symbol)
        known = set() if model is None else set(model.functions)
        return np.array([function in known for function in functions], np.bool_)

    def scaling(
        self, symbol: str, functions: Iterable[SymmetryFunction], spread: Spread | None
    ) -> Scaling | None:
        """The potential's, with ranges that hold the new data too; None for a new element.

        Args:
            symbol: the element.
            functions: of the fit.
            spread: of them over the new data; None where that has no atom of the element.
        """
        model = self.model(symbol)
        if model is None:
            return None
        own, mine = model.scaling, self.mine(symbol, functions)

        def merged(name: str, wider: np.ufunc | None) -> NDArray[np.float64]:
            old: NDArray[np.float64] = getattr(own, name)
            if spread is None:
                return old
            new: NDArray[np.float64] = getattr(spread, name).copy()
            new[mine] = old if wider is None else wider(old, new[mine])
            return new

        return Scaling(
            merged("minimum", np.minimum),
            merged("maximum", np.maximum),
            merged("mean", None),
            merged("sigma", None),
            own.mode,
            own.target_min,
            own.target_max,
        )

    def network(
        self, symbol: str, functions: Iterable[SymmetryFunction], transform: InputTransform
    ) -> Network | None:
        """The potential's, of inputs x = (G − origin) @ matrix; None for a new element.

        With z = G R + c in the first layer, W = matrix⁻¹ R and b = c + origin R.
        """
        model = self.model(symbol)
        if model is None:
            return None
        network, scaling = self._scaled(model), model.scaling
        first = network.weights[0]
        raw = np.zeros((len(transform.origin), first.shape[1]))
        raw[self.mine(symbol, functions)] = scaling.factor[:, None] * first
        shift = network.biases[0] + scaling.offset @ first
        return Network(
            (np.asarray(np.linalg.solve(transform.matrix, raw), np.float64), *network.weights[1:]),
            (shift + transform.origin @ raw, *network.biases[1:]),
            network.activations,
        )

    def baseline(
        self, settings: BaselineSettings, elements: tuple[str, ...]
    ) -> tuple[tuple[Baseline, ...], tuple[RepulsionTerm, ...]]:
        """What the potential is on top of, with ZBL of new elements if requested.

        Raises:
            OptionError: the settings ask for something else.
        """
        own, asked = self.potential, (settings.parts, settings.terms(elements))
        if not asked[0] and not asked[1]:
            return own.baseline, own.terms
        pairs = {pair for term in own.terms for pair in term.pairs}
        kept = pairs <= {pair for term in asked[1] for pair in term.pairs}
        if asked[0] != own.baseline or not kept or (asked[1] and not own.terms):
            raise OptionError(
                f"[baseline] differs from what {self.where} was fitted on top of: leave it out "
                "(the fit continues with the potential's own)"
            )
        return asked

    def _scaled(self, model: ElementModel) -> Network:
        """The network with the energy's scale in its last layer."""
        network, scale = model.network, self.potential.energy_scale
        if scale == 1:
            return network
        if network.activations[-1] is not Activation.IDENTITY:
            raise OptionError(
                f"{self.where}: the output of {model.symbol}'s network is non-linear and scaled: a "
                "fit cannot continue from it"
            )
        weights = (*network.weights[:-1], scale * network.weights[-1])
        biases = (*network.biases[:-1], scale * network.biases[-1])
        return Network(weights, biases, network.activations)


def read_start(path: str | Path) -> Start:
    """A potential's file or folder.

    Raises:
        FileFormatError: it cannot be read.
        OptionError: it is a committee.
    """
    found = load(path)
    if isinstance(found, Committee):
        raise OptionError(
            f"run.from = {str(path)!r} is a committee: name one of its members' models, such as "
            "member_0/best.nnp"
        )
    return Start(found, str(path))
