"""mnistweb: draw a digit in the browser, and a convolutional network reads it."""
