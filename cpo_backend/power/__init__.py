"""Shares the power of a site among the Sessions that go on there, and never gives out more than there is.

`sharing` says who gets what (pure), `seats` what each EVSE may draw, `deciding` asks for less first and gives more only
of what nobody may draw, `sending` words it, `outcomes` is what chargers answer, `wishes` what drivers want.
"""
