"""The model server on Ray Serve, in as many replicas as deploy/model-server.yaml says."""

from ray import serve

from mnistweb.model_server.asgi import create


@serve.deployment
@serve.ingress(create())
class ModelServer:
    """A replica: all networks in one process, for together they are smaller than what reads them."""


application = ModelServer.bind()  # type: ignore[attr-defined]
