"""Lessons for our models: pieces of real sound, made sound, what stations do to it, and the labels that follow."""
