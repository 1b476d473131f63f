"""The enrolled library and who says what a sound is."""
