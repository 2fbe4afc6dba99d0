"""Live status: what chargers report becomes the status of EVSEs in OCPI."""
