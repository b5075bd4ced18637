"""The composition, part by part: each makes its components from plain values of the settings."""
