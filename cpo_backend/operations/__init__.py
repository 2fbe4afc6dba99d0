"""What staff have chargers do (notes 9): `requests` puts it into words of OCPP (pure), `ordering` asks one or many,
`progress` follows what each of them says, until it is done or has failed.
"""
