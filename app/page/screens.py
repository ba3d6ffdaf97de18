"""The screens in the order of the data's way; static/js has a view of each name."""

SCREENS = {
    "crops": "Crops",
    "masks": "Masks",
    "tokens": "Tokens",
    "attention": "Attention",
    "features": "Features",
    "whatif": "What if",
    "losses": "Heads & losses",
    "update": "Update",
    "step": "One step",
    "training": "Training",
    "gallery": "Many pictures",
}
