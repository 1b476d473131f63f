"""Alembic's folder: the versions, and what no model describes."""
