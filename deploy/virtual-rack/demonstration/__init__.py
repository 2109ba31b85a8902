"""`make demo`: a virtual rack whose servers go from power-on to registered nodes while you watch."""
