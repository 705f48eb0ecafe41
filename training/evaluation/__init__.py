"""How good the networks are: figures with intervals, plots, agreement with the crowd's votes."""
