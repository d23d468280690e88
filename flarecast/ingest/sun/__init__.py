"""The simulated Sun: regions that emerge, live and flare by a hidden state, what they show, and the truth."""
