"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# An Output printed as text is an error, in every test that runs a program or a part of it.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# The machine is shared, so an example may take long now and then; the same examples everywhere.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("suite")
