"""Energy terms that a potential adds to its networks: E = networks + Σ terms (+ baseline)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnp.errors import OptionError
from nnp.terms.repulsion import PairRepulsion, RepulsionTerm

__all__ = ["PairRepulsion", "RepulsionTerm", "refuse_terms", "term_of_entry"]

_TERMS = {"repulsion": RepulsionTerm}


def term_of_entry(entry: Mapping[str, Any]) -> RepulsionTerm:
    """A term from a model file's header.

    Raises:
        OptionError: no term has this name.
    """
    if entry["term"] not in _TERMS:
        raise OptionError(f"unknown term {entry['term']!r}: allowed are {', '.join(_TERMS)}")
    return _TERMS[entry["term"]].from_entry(entry)


def refuse_terms(terms: Iterable[RepulsionTerm], where: str) -> None:
    """Refuse a potential with terms where only its networks would go.

    Args:
        terms: of the potential.
        where: what cannot hold them, such as ``"n2p2's files"``.

    Raises:
        OptionError: there are terms.
    """
    names = ", ".join(map(str, terms))
    if names:
        raise OptionError(
            f"the potential adds {names} to its networks, which {where} cannot hold: a one-file "
            "model does; OpenMM takes it with route='python', ASE always; "
            "dataclasses.replace(potential, terms=()) is the networks alone"
        )
