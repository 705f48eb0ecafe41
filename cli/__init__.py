"""The command line `emotion`: one file for each command, all of them thin."""
