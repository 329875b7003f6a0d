"""Scripts behind the figures in docs/results; run by hand, they need ../shared and time."""
