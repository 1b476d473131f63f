"""Learning: features to predictions, and how our models are trained and judged. Arrays in, arrays out."""
