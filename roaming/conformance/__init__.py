"""Does a platform keep the rules that we depend on? Asked by reading alone: nothing at the partner is changed."""
