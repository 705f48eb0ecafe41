"""How good the networks are: figures with intervals, plots, the crowd's opinion."""
