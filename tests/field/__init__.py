"""Records as client systems send them."""
