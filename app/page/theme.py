"""How the page looks: Gradio's theme with plain local fonts, and the style sheet."""

import gradio as gr

from app.paths import STATIC


def theme() -> gr.themes.Base:
    return gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "monospace"],
    )


def css() -> str:
    return (STATIC / "css" / "page.css").read_text(encoding="utf-8")
