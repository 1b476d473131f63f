"""Proof in depth: the first look, what may be wrong and how sure we are, other places, what plays where."""
