"""Dynamics of a teacher and of its network, side by side; for the studies of silicon and silica."""
