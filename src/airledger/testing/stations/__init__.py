"""Ways of sending: one file per way."""
