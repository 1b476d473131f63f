"""The catalogue: find streams, prove that they play, say where and how well."""
