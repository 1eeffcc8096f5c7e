"""The words of the history's controls: orders, views, bounds of confidence, and links of its pager."""

from mnistweb.predictions.filter_fields import Verdict
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.pagination import Order
from mnistweb.predictions.wording import ALMOST_CERTAIN, CERTAIN, PROBABLE

SORTS = {
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
    Order.SUREST: "surest first",
    Order.LEAST_SURE: "least sure first",
}
VIEWS = {"list": "List", "gallery": "Gallery"}
BOUNDS = (PROBABLE, 0.7, ALMOST_CERTAIN, CERTAIN)
"""Confidences that the form offers as bounds: at which answers are worded differently, and one more."""
PAGER = {
    Order.NEWEST: ("Newest", "Newer", "Older"),
    Order.OLDEST: ("Oldest", "Older", "Newer"),
    Order.SUREST: ("Surest", "Surer", "Less sure"),
    Order.LEAST_SURE: ("Least sure", "Less sure", "Surer"),
}
"""Links to the first page, to the page before and to the next one."""
SHORTCUTS = {
    "Sure, but wrong": (Filter(verdict=Verdict.WRONG), Order.SUREST),
    "Least sure, not rated": (Filter(verdict=Verdict.UNLABELLED), Order.LEAST_SURE),
}
"""Listings that an operator looks at first."""
