"""The recognition engine: spectrum, peaks, hashes, index, match. Arrays in, arrays out."""
