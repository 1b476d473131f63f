"""What is learnt from many checks: when a stream is usually off, whether it flaps, its history, its trends."""
