"""What stands on the app's pages."""
