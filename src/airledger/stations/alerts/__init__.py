"""Alerts: what is told when something breaks, to whom, how often, and by which way."""
