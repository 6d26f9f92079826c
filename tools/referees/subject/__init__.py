"""What the referees judge: a venue of our own, started for them, and the members that use it."""
