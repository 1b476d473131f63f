"""Webhooks: what happens is posted to addresses that organisations name, signed and in order."""
