"""Protocol values of any OCPI version: JSON, time, the alphabet of the wire model, its validation."""
