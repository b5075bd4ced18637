"""Generated from the code itself: the schema of stack files and the pages of docs/reference."""
