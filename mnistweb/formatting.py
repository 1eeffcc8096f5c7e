"""Formats of numbers and times on pages and in reports."""

from datetime import datetime


def percent(share: float, decimals: int = 1) -> str:
    """Format a share 0..1: 0.9931 as "99.3 %". Only exactly 1 and 0 become "100.0 %" and "0.0 %"."""
    shown = round(share * 100, decimals)
    if shown == 100 and share < 1:
        return f"> {100 - 10**-decimals:.{decimals}f} %"
    if shown == 0 and share > 0:
        return f"< {10**-decimals:.{decimals}f} %"
    return f"{shown:.{decimals}f} %"


def utc(moment: datetime) -> str:
    """Format an aware UTC time in ISO 8601, to the second, for <time datetime>."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
