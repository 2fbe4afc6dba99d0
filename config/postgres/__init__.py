"""Django's PostgreSQL backend, whose health check asks the socket instead of the server."""
