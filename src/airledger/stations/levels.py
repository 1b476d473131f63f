"""The levels of a proof: how far a stream came. Stored and served as numbers, so they never change."""

NOTHING, CONNECTS, HEADERS, DECODES, SUSTAINED, LIVE = -1, 0, 1, 2, 3, 4
STRANGE_ORIGIN = "https://player.example"  # sent along by proofs: a server that allows it allows everybody
