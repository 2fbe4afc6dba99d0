"""Write docs/conformance.md."""

from tests.conformance.table import DOCUMENT, document, rules

DOCUMENT.write_text(document())
found = rules()
print(f"{sum(bool(rule.tests) for rule in found)} of {len(found)} rules proven")
print(*(f"open: {rule.id} {rule.what}" for rule in found if rule.is_open), sep="\n")
