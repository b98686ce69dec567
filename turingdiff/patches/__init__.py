"""Sums over training patches: distances by shifts and box sums, softmaxes that merge, and the nearest patch."""
