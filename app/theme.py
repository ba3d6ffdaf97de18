"""How the page looks: Gradio's theme with plain local fonts, the style sheet and the scripts."""

import json

import gradio as gr

from app.routes import STATIC
from dino_core.config import PCA_PRESETS

PRESET_WORDS = {
    "paper": "Paper",
    "dinov2-notebook": "DINOv2 notebook",
    "dinov3-notebook": "DINOv3 notebook",
    "all-patches": "All patches",
}


def theme() -> gr.themes.Base:
    return gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "monospace"],
    )


def css() -> str:
    return (STATIC / "css" / "page.css").read_text(encoding="utf-8")


def head(colours: dict[str, list[list[int]]], screens: dict[str, str]) -> str:
    """The colour maps and choices that Python and the page share; views import the scripts."""
    presets = [[name, PRESET_WORDS.get(name, name)] for name in PCA_PRESETS]
    shared = json.dumps({"colours": colours, "presets": presets, "screens": list(screens.items())})
    return f"<script>window.INSIDE = {shared};</script>"
