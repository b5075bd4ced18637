"""The program imports what it uses."""

from __future__ import annotations

from tests.bench.imports import modules_below


def test_the_program_imports_a_few_modules_of_pulumi_cloudflare_and_not_all_thousand() -> None:
    assert 0 < modules_below("pulumi_cloudflare") < 20
