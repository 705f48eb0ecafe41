"""Answers as pictures and documents."""
