"""JSON of responses."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import DefaultJSONProvider


class JSONProvider(DefaultJSONProvider):
    """Flask's provider, whose responses orjson writes, in a sixth of the time."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response with an object as JSON, its keys in order, as `flask.jsonify` does."""
        options = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), self.default, options)
        return self._app.response_class(body, mimetype=self.mimetype)  # type: ignore[arg-type,return-value]
