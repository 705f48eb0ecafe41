"""The check for covered eyes and mouths: training it on drawn coverings, and measuring it."""
