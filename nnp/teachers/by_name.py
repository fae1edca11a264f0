"""Teachers by name: built-in potentials, programs behind ASE, OpenMM Systems, potentials' files.

| name | options |
|---|---|
| ``stillinger-weber`` | |
| ``lennard-jones`` | ``X=(epsilon, sigma)`` (eV, Å) per element, ``cutoff``, ``smooth``; or argon |
| ``vashishta`` | |
| ``tblite:METHOD`` | of ``tblite.ase.TBLite``; GFN2-xTB without a method |
| ``dftd3`` | of ``dftd3.ase.DFTD3``: ``method`` (or ``params_tweaks``), ``damping`` |
| ``dftb``, ``emt``, … | of ASE's calculator of this name |
| a file ``*.xml`` | an OpenMM System; ``platform``, ``trust`` |
| any other path | a potential; of `nnp.ase.NNPCalculator` |
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ase.calculators.calculator import get_calculator_class
from ase.calculators.names import names as ase_names

from nnp.elements import SYMBOLS
from nnp.errors import NNPError, OptionError, UnavailableError
from nnp.teachers import ase as built_in
from nnp.teachers.lennard_jones import LennardJonesParameters

NAMES = ("stillinger-weber", "lennard-jones", "vashishta", "tblite:GFN2-xTB", "dftd3", "dftb")
_PLAIN = {"stillinger-weber": built_in.StillingerWeber, "vashishta": built_in.Vashishta}

# What computes in this process and opens no file that an option names: a model file may name it.
_HARMLESS = {*_PLAIN, "lennard-jones", "dftd3", "emt", "lj", "morse", "tip3p", "tip4p"}

MakeCalculator = Callable[[], Any]


def is_harmless(name: str) -> bool:
    """Whether making the calculator of this name starts no program and opens no file."""
    return name in _HARMLESS or name.partition(":")[0] == "tblite"


def teacher(
    name: str,
    options: Mapping[str, Any] | None = None,
    trust: bool = False,
    argument: str = "--teacher",
) -> MakeCalculator:
    """What makes new ASE calculators of a teacher.

    Args:
        name: see this file's head.
        options: see there.
        trust: whether a file may execute code; only an OpenMM System can.
        argument: what messages call it.

    Raises:
        OptionError: an unknown name, or options that the teacher does not take.
        UnavailableError: a package or program that it needs is missing.

    >>> teacher("lennard-jones", {"Ar": (0.0103, 3.4), "cutoff": 8.5})().potential.cutoff
    8.5
    """
    options = dict(options or {})
    if trust and name.endswith(".xml"):
        options["trust"] = True
    try:
        make = _maker(name, options, argument)
        make()  # what is missing shows now, not after the first structures
    except NNPError:
        raise
    except ImportError as error:
        raise UnavailableError(f"{argument} {name} needs a package: {error}") from None
    except Exception as error:
        raise OptionError(
            f"{argument} {name} with {options or 'no options'}: {type(error).__name__}: {error}"
        ) from error
    return make


def _maker(name: str, options: dict[str, Any], argument: str) -> MakeCalculator:
    kind, _, method = name.partition(":")
    if name in _PLAIN:
        if options:
            raise OptionError(f"{argument} {name} takes no options, got {', '.join(options)}")
        return _PLAIN[name]
    if name == "lennard-jones":
        return (
            partial(built_in.LennardJones, _lennard_jones(options))
            if options
            else (built_in.LennardJones)
        )
    if kind == "tblite":
        return _tblite(method or "GFN2-xTB", options, argument)
    if name == "dftd3":
        return _dftd3(options, argument)
    if name in ase_names:
        return partial(get_calculator_class(name), **options)  # type: ignore[no-untyped-call]
    if not Path(name).exists():
        raise OptionError(
            f"{argument} {name!r}: allowed are {', '.join(NAMES)}, any other calculator of ASE "
            f"({', '.join(ase_names)}), an OpenMM System (*.xml) or a potential's path"
        )
    if name.endswith(".xml"):
        system_calculator = importlib.import_module("nnp.openmm.system_calculator")
        return partial(system_calculator.SystemCalculator, name, **options)
    own_calculator = importlib.import_module("nnp.ase")
    return partial(own_calculator.NNPCalculator, name, **options)


def _lennard_jones(options: dict[str, Any]) -> LennardJonesParameters:
    elements = {key: value for key, value in options.items() if key in SYMBOLS}
    others = {key: value for key, value in options.items() if key not in SYMBOLS}
    unknown = sorted(set(others) - {"cutoff", "smooth"})
    if unknown or "cutoff" not in others:
        raise OptionError(
            f"lennard-jones got {', '.join(options)}: it takes X=epsilon,sigma for each element X "
            "(eV, Å), cutoff (Å) and smooth (true or false)"
        )
    for symbol, value in elements.items():
        if not isinstance(value, tuple | list):
            raise OptionError(f"{symbol} = {value!r}: epsilon,sigma in eV and Å are expected")
    return LennardJonesParameters(elements, **others)


def _tblite(method: str, options: dict[str, Any], argument: str) -> MakeCalculator:
    try:
        module = importlib.import_module("tblite.ase")
    except ImportError:
        raise UnavailableError(
            f"{argument} tblite needs tblite: pip install 'tblite[ase]'"
        ) from None
    return partial(module.TBLite, **({"method": method, "verbosity": 0} | options))


def _dftd3(options: dict[str, Any], argument: str) -> MakeCalculator:
    """Dispersion by the s-dftd3 library (ASE's own calculator of this name runs a program)."""
    try:
        module = importlib.import_module("dftd3.ase")
    except ImportError:
        raise UnavailableError(f"{argument} dftd3 needs dftd3: pip install dftd3") from None
    if not {"method", "params_tweaks"} & set(options):
        raise OptionError(
            f"{argument} dftd3 needs the functional of the labels, method = 'PBE' for example"
        )
    return partial(module.DFTD3, **({"damping": "d3bj"} | options))
