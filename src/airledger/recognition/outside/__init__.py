"""Those outside who know what our library does not: providers behind one port, asked seldom, never believed blindly."""
