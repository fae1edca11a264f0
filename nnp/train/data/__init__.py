"""Labelled structures: making, choosing, reading, checking and parting them. Needs no torch."""
