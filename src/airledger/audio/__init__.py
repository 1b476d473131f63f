"""Sound from bytes: demuxing, decoding, resampling, features. Arrays in, arrays out."""
