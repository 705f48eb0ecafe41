"""The Streamlit app: photos in, framed and answered faces out."""
