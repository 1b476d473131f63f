"""One station, many streams: what makes stations one, merging them, and taking it back."""
