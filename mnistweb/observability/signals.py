"""Signals of the site, for logs, metrics and traces. The sender is the application."""

from blinker import signal

answered = signal("mnistweb-answered")
"""A response has been sent: `record`, an access_log.RequestRecord."""

predicted = signal("mnistweb-predicted")
"""A prediction has been made: `prediction`, and `seconds` by the name of the step."""

labelled = signal("mnistweb-labelled")
"""An author has given feedback: `verdict`, right or wrong."""

followed = signal("mnistweb-followed")
"""The live version of a model was looked for: `model`, the `version` that answers now, and the `outcome`."""
