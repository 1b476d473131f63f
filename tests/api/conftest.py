"""The API's fixture."""

from api_house import house

__all__ = ["house"]
