"""The listening room's fixture."""

from listening_house import house

__all__ = ["house"]
