"""docs/conformance.md says what is, and no rule that must hold is without proof or reason."""

from tests.conformance.table import DOCUMENT, document, known, rules


def test_the_document_is_up_to_date() -> None:
    """`python -m tests.conformance` writes it."""
    assert DOCUMENT.read_text() == document()


def test_every_rule_that_must_hold_is_proven_or_says_why_not() -> None:
    assert [rule.id for rule in rules() if rule.is_open] == []


def test_tests_name_rules_that_there_are() -> None:
    assert known() - {rule.id for rule in rules()} == set()
