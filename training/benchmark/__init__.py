"""How fast answers come, measured against the obvious implementation in the same run."""
