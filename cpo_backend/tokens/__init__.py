"""Drivers' tokens as chargers present them."""
