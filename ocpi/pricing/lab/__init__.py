"""The tariff lab: CDRs priced once more by a draft of a Tariff, to see what it would change before anybody pays by it.

`comparing` is one CDR before and after, `reports` the exact sums of any number of them. A draft is never stored as a
Tariff, and so never delivered.
"""
