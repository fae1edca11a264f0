"""Learning, collisions and melts of the study of repulsion."""
