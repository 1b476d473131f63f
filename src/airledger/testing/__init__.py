"""A transmitter, songs and voices of our own: what the demo and the tests listen to."""
