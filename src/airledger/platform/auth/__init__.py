"""Who is asking, and what they may do: organisations, accounts, roles, API keys, one-time links."""
