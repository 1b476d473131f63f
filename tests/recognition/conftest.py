"""A library of this room's tests."""

from library_house import library

__all__ = ["library"]
