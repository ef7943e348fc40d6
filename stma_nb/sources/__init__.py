"""Real data from where they lie to season cubes and patches."""
