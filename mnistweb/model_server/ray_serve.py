"""The model server on Ray Serve, with the number of replicas of deploy/model-server.yaml."""

from ray import serve

from mnistweb.model_server.asgi import create


@serve.deployment
@serve.ingress(create())
class ModelServer:
    """A replica: all networks in one process, since together they are smaller than the process."""


application = ModelServer.bind()  # type: ignore[attr-defined]
