"""Parts of the study ``materials.py``: what is sampled, how, what is compared, how it is drawn."""
