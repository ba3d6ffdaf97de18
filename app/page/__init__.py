"""What Gradio builds: screens, rail, handlers, components, the named endpoints, the lessons."""
