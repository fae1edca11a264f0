"""Parts of the study of TiO2."""
