"""`python -m cli`, for when the command `emotion` is not on the path."""

from cli.main import app

app(prog_name="emotion")
