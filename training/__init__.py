"""Training, calibration and evaluation of the emotion networks."""
