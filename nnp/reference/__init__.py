"""The oracle: every formula of the package in plain float64 torch."""
