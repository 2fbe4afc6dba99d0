"""The wire model of OCPI 2.2.1: one module per chapter of the specification, one line per field."""
