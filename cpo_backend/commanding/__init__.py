"""Commands to chargers: rows first, carried out by whoever holds the socket, each with one outcome."""
