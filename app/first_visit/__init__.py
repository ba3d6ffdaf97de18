"""The newcomer's picture: stored answers, and the document that shows it before Gradio."""
