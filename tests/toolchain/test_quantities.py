"""Quantities get the form that Go gives them, or a diff would show between `1024Mi` and the cluster's `1Gi`."""

from __future__ import annotations

import pytest

from toolchain.kubernetes_plugin.normalise import Mismatch, quantity


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (0.5, "500m"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        (2, "2"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("1025Ki", "1025Ki"),
        ("1Ki", "1Ki"),
        ("0.5Ki", "512"),
        ("100M", "100M"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1e3", "1e3"),
        ("2E", "2E"),
        ("-1Gi", "-1Gi"),
    ],
)
def test_a_quantity_has_one_canonical_form(written: str | float, canonical: str) -> None:
    assert quantity(written) == canonical


@pytest.mark.parametrize("written", ["", "Gi", "1 Gi", "1GB", "one", True])
def test_what_is_no_quantity_is_refused(written: object) -> None:
    with pytest.raises(Mismatch):
        quantity(written)
