"""Chargers as they are registered: who they are, what they may do, which EVSE each of their numbers stands for."""
