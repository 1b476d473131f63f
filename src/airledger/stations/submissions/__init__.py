"""What users submit: taken at once from those who may, kept for a moderator from the others."""
