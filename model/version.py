"""The version of the project, as releases and the deployed model name it."""

VERSION = "0.1.0"
"""The same as in pyproject.toml (a test compares them)."""
