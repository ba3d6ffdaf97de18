"""The screens in the order of the data's way; static/js has a view of each name."""

WELCOME = "welcome"  # a newcomer's, before the first of them: it has no tab and no lesson

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
    "tray": "Tray",
    "gallery": "Many pictures",
}
