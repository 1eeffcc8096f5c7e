"""From untrusted bytes to an answer: bytes -> ink -> 28x28 -> probabilities -> digit, or "not a digit".

Imports neither Flask nor a database. Training uses the same preprocessing.
"""
