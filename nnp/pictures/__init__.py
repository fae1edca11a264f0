"""All pictures: of data, runs, a potential's errors (and the page about them), measured speed.

matplotlib is imported when one is drawn.
"""
