"""The Streamlit app and the Gradio demo, each in its own folder; here is what both share."""
