"""The page: widgets, wiring and words. What it shows is computed by dino_core."""
