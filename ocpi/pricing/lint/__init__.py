"""What is wrong with a tariff before anybody pays by it: findings with a code, a severity, a pointer and a witness.

`findings` is the catalogue, `space` is the geometry of restrictions, and the rules are in `coverage`, `windows`,
`structure`, `prices`, `limits` and `spelling`; `checking` puts them together. Restrictions are asked by the checks that
price, so what is called dead is never billed.
"""
