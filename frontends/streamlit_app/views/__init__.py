"""The content of the app's pages."""
