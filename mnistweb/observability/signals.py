"""What happens in the site, told to whoever counts or writes it down. The sender is the application."""

from blinker import signal

answered = signal("mnistweb-answered")
"""A request has been answered: `visit`, a journal.RequestRecord."""

predicted = signal("mnistweb-predicted")
"""A drawing has been read: `prediction`, and `seconds` by the name of the step."""

labelled = signal("mnistweb-labelled")
"""An author has said what a drawing was: `verdict`, right or wrong."""
