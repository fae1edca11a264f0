"""The route ``native``: a force of our OpenMM plugin, in C++ from end to end.

The potential travels inside the force, which OpenMM copies and serialises like its own.
"""

from __future__ import annotations

import base64
import ctypes as ct
import math
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import numpy as np
import openmm
from numpy.typing import NDArray

from nnp.engines.cpu import PRECISIONS, TARGETS
from nnp.engines.flatten import FlatPotential, flatten
from nnp.engines.gpu.library import Generator
from nnp.errors import OptionError, UnavailableError
from nnp.openmm._plugin import address, is_native, load_plugin
from nnp.openmm.species import Species
from nnp.potential import Potential, require_potential
from nnp.values import require_number, require_whole

ENGINES = ("auto", "cpu")
NOT_FINITE = ("raise", "pass")
GPU_KERNELS = {None: -1, False: 0, True: 1}
_FORMAT_VERSION = 2
_MESSAGE_SIZE = 1024


def create_native_force(
    potential: Potential,
    species: Species,
    engine: str = "cpu",
    options: dict[str, Any] | None = None,
) -> openmm.Force:
    """The force; see `routes.create_force`.

    Args:
        potential: what to evaluate.
        species: the particles of the System; an atomic number of 0 leaves a particle out.
        engine: ``"cpu"``, or ``"auto"``, which is the same here.
        options: of the CPU engine (``dtype``, ``threads``, ``skin``, ``target``), and
            ``scale_parameter``: name of a Context parameter that multiplies the energy (None: no
            such parameter), ``scale``: its default, 1; ``max_extrapolations``: stop with an error
            when more atoms extrapolate (None: never); ``not_finite``: ``"raise"``, or ``"pass"``
            to hand energies and forces that are not finite on to the integrator as NaN;
            ``gpu_kernels``: on GPU platforms, True runs our kernels on the device, False the CPU
            engine on the host; None the kernels where the device is a GPU (OpenCL also has CPUs)
            and they have all the potential has.

    Raises:
        OptionError: an engine or option this route does not take.
        StructureError: an atom's element has no model.
        UnavailableError: the plugin is missing or was built for another OpenMM.
    """
    load_plugin()
    options = _known(options or {})
    if engine not in ENGINES:
        raise OptionError(
            f"engine={engine!r}: route='native' evaluates with engine='cpu' only; use "
            "route='python' for others"
        )
    flat = flatten(potential)
    if options.get("gpu_kernels") is None and not _kernels_have(flat, len(potential.models)):
        options = {**options, "gpu_kernels": False}
    attributes = _options(**options) | {
        "version": _FORMAT_VERSION,
        "name": "NNP",
        "periodic": int(species.periodic),
        "atomicNumbers": _base64(species.atomic_numbers, "<i4"),
    }
    attributes["potential"] = base64.b64encode(flat.to_bytes()).decode()
    text = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items())
    return openmm.XmlSerializer.deserialize(f'<Force type="NNPForce" {text}/>')


def _kernels_have(flat: FlatPotential, n_elements: int) -> bool:
    """Whether the GPU kernels can evaluate it."""
    generator = Generator(flat)
    try:
        for element in range(n_elements):
            generator.order(element)
    except UnavailableError:
        return False
    return True


def update_force(
    force: openmm.Force, potential: Potential, context: openmm.Context | None = None
) -> None:
    """Replace the potential of a force, for example by a retrained one.

    Args:
        force: of route ``native``.
        potential: the new one; it must have a network for every atom of the force.
        context: a Context made from the System with the force, where the new potential takes effect
            at once. Contexts made later always have it.

    Raises:
        OptionError: a force of another route, a potential that lacks an element, a foreign context.
            The force is unchanged, except with a foreign context.
    """
    if not is_native(force):
        raise OptionError(
            f"force {force.getName()!r} is not of route='native': only those can be updated; "
            "make a new force and Context"
        )
    require_potential(potential)
    content = flatten(potential).to_bytes()
    _call("nnp_openmm_set_potential", address(force), content, len(content))
    if context is not None:
        _call("nnp_openmm_update_context", address(force), address(context))


def attributes(force: openmm.Force) -> dict[str, str]:
    """Of a force of route ``native``, by its XML: all that one from ``system.getForce`` shows."""
    return ET.fromstring(openmm.XmlSerializer.serialize(force)).attrib  # noqa: S314  ours


def asks_for_gpu_kernels(force: openmm.Force) -> bool:
    """Whether a force of route ``native`` was made with ``gpu_kernels=True``."""
    return attributes(force)["gpuKernels"] == str(GPU_KERNELS[True])


def _call(function: str, *arguments: Any) -> None:
    message = ct.create_string_buffer(_MESSAGE_SIZE)
    if getattr(load_plugin(), function)(*arguments, message, _MESSAGE_SIZE):
        raise OptionError(message.value.decode(errors="replace"))


def _base64(numbers: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype).tobytes()).decode()


def _known(options: dict[str, Any]) -> dict[str, Any]:
    names = list(_options.__kwdefaults__ or {})
    for option in options:
        if option not in names:
            raise OptionError(
                f"route='native' has no option {option!r}: it takes {', '.join(names)}"
            )
    return options


def _options(
    *,
    dtype: str = "float64",
    threads: int | None = None,
    skin: float | None = None,
    target: str = "auto",
    scale_parameter: str | None = None,
    scale: float = 1.0,
    max_extrapolations: int | None = None,
    not_finite: str = "raise",
    gpu_kernels: bool | None = None,
) -> dict[str, Any]:
    """The attributes of the XML."""
    _one_of("dtype", dtype, PRECISIONS)
    _one_of("target", target, TARGETS)
    _one_of("not_finite", not_finite, NOT_FINITE)
    _one_of("gpu_kernels", gpu_kernels, GPU_KERNELS)
    if threads is not None:
        require_whole("threads", threads, 1, ", or None")
    if skin is not None:
        require_number("skin", skin, 0, ", or None")
    if max_extrapolations is not None:
        require_whole("max_extrapolations", max_extrapolations, 0, ", or None")
    require_number("scale", scale, -math.inf)
    if scale_parameter is None and scale != 1.0:
        raise OptionError(f"scale={scale} needs the name of its parameter: give scale_parameter")
    return {
        "precision": PRECISIONS[dtype],
        "threads": threads or 0,
        "skin": -1.0 if skin is None else float(skin),
        "target": TARGETS[target],
        "allowNotFinite": int(not_finite == "pass"),
        "gpuKernels": GPU_KERNELS[gpu_kernels],
        "maxExtrapolations": -1 if max_extrapolations is None else int(max_extrapolations),
        "scaleParameter": scale_parameter or "",
        "defaultScale": float(scale),
    }


def _one_of(name: str, value: object, allowed: Any) -> None:
    if value not in tuple(allowed):
        raise OptionError(
            f"{name}={value!r} is unknown: allowed are {', '.join(map(str, allowed))}"
        )
