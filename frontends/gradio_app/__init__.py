"""The Gradio demo: one page, and the same as an API."""
