"""From transactions to Sessions and CDRs.

`dues` says what is to be made, in rows; `making` makes it, outside the path on which chargers are answered; `sessions`,
`cdrs`, `terms` and `signing` say what is in it; `showing` has chargers show what it
costs; `deciding` is what staff do about what is held.
"""
