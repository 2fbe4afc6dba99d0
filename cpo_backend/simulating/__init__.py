"""Chargers that are none: for the demo, for trying things out, and to load a node.

`line` is the websocket, `speech` what a charger says in each version, `station` a charger with its connectors, `life`
what goes on at it.
"""
