"""The page: widgets, wiring and words. Everything it shows is computed by dino_core."""
