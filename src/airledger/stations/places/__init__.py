"""Where a stream is: votes with their evidence, fused into one calibrated answer that people can correct."""
