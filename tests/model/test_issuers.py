"""Which solver of an issuer answers for a name: the one that cert-manager picks (pkg/util/solverpicker)."""

from __future__ import annotations

from typing import Any

import pytest

from model.issuers import Issuer

LABELS = {"app.kubernetes.io/name": "certificates", "app.kubernetes.io/instance": "kolab"}
NAME = "mx.example.org"
BOTH = {"dnsNames": [NAME], "dnsZones": ["example.org"]}


def picked(name: str, *selectors: dict[str, Any] | None) -> int | None:
    """The place of the solver that is picked for a name; None for none of them."""
    kinds = ("http01", "dns01")
    fits = []
    # Each solver in its turn is the only one that proves by HTTP, by which it is told from the others.
    for place in range(len(selectors)):
        solvers = [
            {kinds[other != place]: {}, **({} if selector is None else {"selector": selector})}
            for other, selector in enumerate(selectors)
        ]
        if Issuer.read({"spec": {"acme": {"solvers": solvers}}}).by_http([name], LABELS):
            fits.append(place)
    return fits[0] if fits else None


@pytest.mark.parametrize(
    ("selector", "name", "fits"),
    [
        (None, NAME, True),
        ({}, NAME, True),
        ({"dnsNames": [NAME]}, NAME, True),
        ({"dnsNames": ["example.org"]}, NAME, False),
        ({"dnsZones": ["example.org"]}, NAME, True),
        ({"dnsZones": ["example.org"]}, "example.org", True),
        ({"dnsZones": ["Example.ORG."]}, NAME, True),
        ({"dnsZones": ["ample.org"]}, NAME, False),
        ({"dnsZones": ["mx.mx.example.org"]}, NAME, False),
        ({"dnsZones": ["."]}, NAME, False),
        ({"matchLabels": LABELS}, NAME, True),
        ({"matchLabels": {**LABELS, "team": "web"}}, NAME, False),
    ],
    ids=str,
)
def test_a_solver_is_for_the_names_that_its_selector_fits(
    selector: dict[str, Any] | None, name: str, fits: bool
) -> None:
    assert (picked(name, selector) is not None) is fits


@pytest.mark.parametrize(
    ("selector", "name", "fits"),
    [
        (BOTH, NAME, True),
        (BOTH, "sieve.example.org", False),
        ({"dnsNames": [NAME], "dnsZones": ["example.net"]}, NAME, False),
        ({**BOTH, "matchLabels": LABELS}, NAME, True),
        ({**BOTH, "matchLabels": {"team": "web"}}, NAME, False),
        ({"dnsNames": [NAME], "matchLabels": {"team": "web"}}, NAME, False),
        ({"dnsZones": ["example.net"], "matchLabels": LABELS}, NAME, False),
    ],
    ids=str,
)
def test_all_parts_of_a_selector_must_fit(selector: dict[str, Any], name: str, fits: bool) -> None:
    assert (picked(name, selector) is not None) is fits


@pytest.mark.parametrize(
    ("selectors", "place"),
    [
        ((None, {}), 0),
        (({}, None), 0),
        ((None, {"dnsZones": ["org"]}), 1),
        (({"matchLabels": LABELS}, {"dnsZones": ["org"]}), 1),
        (({"dnsZones": ["org"]}, {"dnsZones": ["example.org"]}), 1),
        (({"dnsZones": ["example.org"]}, {"dnsNames": [NAME]}), 1),
        (({"dnsNames": [NAME]}, {"dnsNames": [NAME], "dnsZones": ["org"]}), 1),
        (({"dnsNames": [NAME], "dnsZones": ["org"]}, BOTH), 1),
        (({"dnsZones": ["org"]}, {"dnsZones": ["org"], "matchLabels": LABELS}), 1),
        (({"dnsZones": ["org", "example.org"]}, {"dnsZones": ["org"], "matchLabels": LABELS}), 0),
        ((BOTH, BOTH), 0),
    ],
    ids=str,
)
def test_the_most_specific_solver_is_picked_and_the_first_of_equals(
    selectors: tuple[dict[str, Any] | None, ...], place: int
) -> None:
    assert picked(NAME, *selectors) == place
