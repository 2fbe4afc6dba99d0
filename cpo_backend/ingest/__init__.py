"""Status of EVSEs without a socket of ours: told by other systems, over HTTP or in files.

`items` reads what is told and `judging` says what it means (both pure), `taking` writes it down, `sources` knows who
may, `views` is the API.
"""
