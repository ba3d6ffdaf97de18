"""How the page looks: Gradio's theme with plain local fonts, and the style sheets."""

import gradio as gr

from app.paths import STATIC

# A later one may say more.
SHEETS = ("tokens", "base", "rail", "controls", "charts", "lesson", "guide")


def theme() -> gr.themes.Base:
    return gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "monospace"],
    )


def css() -> str:
    """The style sheets as one: what all screens share, then each screen's own."""
    folder = STATIC / "css"
    files = [folder / f"{name}.css" for name in SHEETS] + sorted((folder / "screens").glob("*.css"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
