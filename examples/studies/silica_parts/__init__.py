"""Parts of the study ``silica.py``: learning, structure, the teachers beside LAMMPS."""
