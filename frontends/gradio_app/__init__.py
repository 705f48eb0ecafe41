"""The Gradio demo: one page and its API."""
