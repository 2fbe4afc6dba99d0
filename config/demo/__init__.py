"""The demo: three nodes of this program do the main job, end to end."""
