"""Parts of the study ``uncertainty.py``: training, heating runs, the refinement loop, pictures."""
