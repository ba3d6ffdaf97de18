"""A run as a folder: presets, loop, checkpoints, resume; pre-training, training of heads."""
