"""Parts of the study of Lennard-Jones."""
