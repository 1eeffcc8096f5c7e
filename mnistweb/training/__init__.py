"""Training, evaluation and export. The site never imports it; it needs the `train` extra."""
