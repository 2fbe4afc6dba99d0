"""Reservations: `ordering` asks chargers to reserve, `holding` is what becomes of a reservation, `using` its use,
`unused` what it costs that nobody came."""
