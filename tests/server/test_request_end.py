"""The ends of requests, however their bytes are divided."""

import pytest

from mnistweb.server.request_end import MAX_HEAD, MAX_LINE, Progress, RequestEnd

MOST = 10_000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
NEXT = b"GET /next HTTP/1.1\r\n"
WHOLE = {
    "no body": GET,
    "length": POST + b"Content-Length: 5\r\n\r\nhello",
    "length 0": POST + b"CONTENT-LENGTH:0\r\n\r\n",
    "blanks": POST + b"Content-Length: 5 \r\n\r\nhello",
    "another header of that name": POST + b"X-Content-Length: 5\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
    "trailers": POST + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
}
REFUSED = {
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "no number": POST + b"Content-Length: -5\r\n\r\n",
    "underscore": POST + b"Content-Length: 1_0\r\n\r\n",
    "too large": POST + b"Content-Length: %d\r\n\r\n" % (MOST + 1),
    "huge": POST + b"Content-Length: %s\r\n\r\n" % (b"9" * 5000),
    "head without end": POST + b"X: " + b"x" * MAX_HEAD,
    "no chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",
    "line without end": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * (MAX_LINE + 1),
    "many chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * MOST,
    "endless trailers": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * MOST,
}


def follow(data: bytes, size: int) -> tuple[RequestEnd, int]:
    """Feed `data` in pieces of a size, and return how many bytes belong to the request."""
    request, used = RequestEnd(MOST), 0
    for start in range(0, len(data), size):
        if request.progress in (Progress.WHOLE, Progress.REFUSED):
            break
        used += request.feed(data[start : start + size])
    return request, used


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("name", WHOLE)
def test_end_is_found_however_the_bytes_are_divided(name: str, size: int) -> None:
    request, used = follow(WHOLE[name] + NEXT, size)
    assert request.progress is Progress.WHOLE
    assert used == len(WHOLE[name])


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_is_whole_before_its_last_byte(name: str) -> None:
    request, used = follow(WHOLE[name][:-1], 1)
    assert request.progress in (Progress.HEAD, Progress.BODY)
    assert used == len(WHOLE[name]) - 1


@pytest.mark.parametrize("size", [1, 60_000])
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_acceptable_end_is_not_waited_for(name: str, size: int) -> None:
    request, _ = follow(REFUSED[name], size)
    assert request.progress is Progress.REFUSED


def test_client_that_waits_to_be_asked_is_known() -> None:
    request, _ = follow(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", 100)
    assert request.waits
    assert request.progress is Progress.BODY
