"""Airledger: finds streams, proves that they play, hears what they play, logs every play."""
