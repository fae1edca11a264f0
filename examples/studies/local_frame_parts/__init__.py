"""Parts of the study of local frames: data and fits, a path through switches, runs."""
