"""Local authorization lists: by which tokens a charger lets charge while it cannot ask us (notes 6).

`limits` is how much room a charger has, `wanting` which tokens belong on its list, `sending` brings it there in steps,
each a row before it is a CALL, and `following` has the lists looked at when Tokens change.
"""
