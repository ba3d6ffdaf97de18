"""Training: one step in `step.py`; everything that a step needs lies on the floors below."""
