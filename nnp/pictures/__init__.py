"""All pictures: of runs, of a potential's errors (and the page about them), of measured speed.

matplotlib is imported when one is drawn.
"""
