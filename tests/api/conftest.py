"""The API's fixture."""

from api_house import first_start, house

__all__ = ["first_start", "house"]
