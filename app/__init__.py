"""The page: widgets, wiring and words. What it shows is computed by dino_core.

A page shares its few processor cores with the browser that looks at it. Threads that wait by
spinning take the core from whoever they wait for: a forward that others disturb then takes five
times as long as one whose threads sleep. Both settings are read when the libraries are loaded.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy and SciPy only; PyTorch has its own
