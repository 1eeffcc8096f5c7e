"""Training, evaluation and export. Never imported by the site; needs the `train` extra."""
