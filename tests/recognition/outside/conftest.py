"""Providers on loopback, and what is needed to ask them."""

from outside_house import audd_service, cloud, door, hasty, house, migrated

__all__ = ["audd_service", "cloud", "door", "hasty", "house", "migrated"]
