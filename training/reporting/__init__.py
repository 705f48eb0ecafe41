"""The project's report, written from measured artefacts alone."""
