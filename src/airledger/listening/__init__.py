"""Live sessions: capture, the tracker, detections, coverage."""
