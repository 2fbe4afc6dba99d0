"""Reservations: `ordering` asks chargers to reserve, `holding` is what becomes of a reservation, `using` its use."""
