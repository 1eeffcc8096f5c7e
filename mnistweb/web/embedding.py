"""Cookies that also work in frames of other sites, if EMBED_ORIGINS names any."""

from mnistweb.current import current_request, current_site


def crosses_sites() -> bool:
    """Return whether a cookie of the current response must also reach frames of other sites.

    Over plain HTTP it cannot: a browser then sends only cookies that are SameSite=None, which needs TLS.
    """
    return current_request().is_secure and bool(current_site().config["EMBED_ORIGINS"])


def cookie_scope() -> str:
    """Return the attributes of a cookie that say from where it is sent.

    Partitioned keeps it apart for each embedding site, as browsers without third-party cookies ask for.
    """
    if crosses_sites():
        return "SameSite=None; Secure; Partitioned"
    return "SameSite=Lax; Secure" if current_request().is_secure else "SameSite=Lax"
