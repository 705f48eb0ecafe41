"""The project's report, written only from measured artefacts."""
