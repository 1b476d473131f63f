"""What the catalogue leaves out because somebody with a right to it asked: the block list and takedown requests."""
