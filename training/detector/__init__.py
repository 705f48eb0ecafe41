"""Training, tuning and measuring the face detectors."""
