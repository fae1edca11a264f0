"""Print where a Python module may lie, without importing it, as a list of CMake's."""

import importlib.util
import sys
import sysconfig

name = sys.argv[1]
spec = importlib.util.find_spec(name)
folders = list(spec.submodule_search_locations or []) if spec else []
# Of an installation in place ("pip install -e"), where what was compiled lies.
print(";".join([*folders, f"{sysconfig.get_path('platlib')}/{name}"]))
