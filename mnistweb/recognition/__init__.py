"""From untrusted bytes to an answer: bytes -> ink -> 28x28 -> probabilities -> digit, or "not a digit".

Knows nothing of Flask or of a database. Training uses the very same preprocessing.
"""
