"""One training step, and what makes its batches, splits and shards it, and measures it."""
