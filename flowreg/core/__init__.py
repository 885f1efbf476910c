"""The core: pure functions over values. No I/O, no clock, no randomness, no environment."""
