"""Parts of the study ``silica.py``: learning, the teachers beside LAMMPS."""
