"""The Streamlit app: photos in, framed faces with their emotions out."""
