"""Where a numeric address is: databases that the user can update, and none needed.

`lookup.py` reads them, `update.py` fetches and swaps them.
"""
