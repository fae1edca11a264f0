"""Print where the pip wheel of OpenMM lies, and its version: "folder;8.6.1", or nothing.

Imports nothing of it.
"""

import importlib.metadata
import importlib.util
import pathlib

spec = importlib.util.find_spec("openmm")
if spec is not None and spec.origin is not None:
    folder = pathlib.Path(spec.origin).parent.parent / "OpenMM.libs"
    print(f"{folder};{importlib.metadata.version('openmm')}")
