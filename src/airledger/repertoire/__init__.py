"""Recordings: what can be heard."""
