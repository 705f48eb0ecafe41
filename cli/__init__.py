"""The command line `emotion`: one file per command, all of them thin."""
