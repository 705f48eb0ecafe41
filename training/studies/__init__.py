"""Studies: questions to the system that a command answers with figures."""
