"""Reading a file from a stranger into an upright RGB image, safely."""
