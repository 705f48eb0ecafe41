"""Networks in formats that other programs run, without this project."""
