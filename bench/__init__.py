"""Figures of this product, measured: `python -m bench`."""
