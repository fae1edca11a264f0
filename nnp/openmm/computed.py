"""What a force evaluates, as a digest: for comparing it with that of another run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnp.engines.flatten import flatten_for_file
from nnp.io.model import from_bytes
from nnp.openmm.species import Species
from nnp.potential import Potential

DIGITS = 16


@dataclass(frozen=True)
class Computed:
    """What a force evaluates.

    Attributes:
        physics: digest of atoms and potential, see `physics_digest`.
        engine: name and precision.
    """

    physics: str
    engine: str

    @classmethod
    def of(
        cls, potential: Potential, species: Species, engine: str, options: dict[str, Any]
    ) -> Self:
        """From the arguments of a route."""
        numbers = np.asarray(species.atomic_numbers, "<i4").tobytes()
        physics = physics_digest(numbers, species.periodic, flatten_for_file(potential).to_bytes())
        return cls(physics, engine_text(engine, options.get("dtype", "float64")))

    @classmethod
    def of_bytes(cls, model: bytes, species: Species, engine: str, options: dict[str, Any]) -> Self:
        """The same from the content of a model file."""
        return cls.of(from_bytes(model, "the model inside the force"), species, engine, options)


def physics_digest(numbers: bytes, periodic: bool, potential: bytes) -> str:
    """Digest of atomic numbers (int32) and a flattened potential's bytes."""
    found = hashlib.sha256(bytes([periodic]))
    for part in (numbers, potential):
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()[:DIGITS]


def engine_text(name: str, dtype: str) -> str:
    """Name and precision."""
    return f"{name} {dtype}"
