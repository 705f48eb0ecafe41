"""Training an emotion network, from a recipe to a weight file."""
