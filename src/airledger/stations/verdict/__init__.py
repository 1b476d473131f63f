"""What a stream is, how good, and whether to trust it: close looks, weighed by models and rules."""
