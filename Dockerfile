# Of each package only the files in deploy/hashes are installed. torch has no hash: each index has its own builds.
# hadolint global ignore=DL3008,DL3013
ARG PYTHON_IMAGE=python:3.11-slim

# Everything is installed in a virtual environment, which the last stages copy. Another one has the tools of the build.
FROM ${PYTHON_IMAGE} AS pip
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_FIND_LINKS=/wheels \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/venv \
    PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /venv \
    && python -m venv --without-pip /tools
# deploy/wheels/ may hold wheels that need not be downloaded.
COPY deploy/wheels/ /wheels/
COPY deploy/hashes/tools.txt /source/
RUN PIP_PYTHON=/tools pip install --no-deps --require-hashes --requirement /source/tools.txt

# Dependencies of the site with a model server: all but torch.
FROM pip AS site-packages
COPY deploy/hashes/site.txt /source/
RUN pip install --no-deps --require-hashes --requirement /source/site.txt

# They have a software bill of materials with them, as the others have below.
FROM site-packages AS site-dependencies
COPY deploy/bill pyproject.toml /source/
RUN sh /source/bill

# Dependencies of the site without a model server.
FROM site-packages AS packages
# A server needs no CUDA: torch comes from deploy/wheels, else from the index of CPU builds. Only ALLOW_CUDA=1 lets it
# come from the default index. Its headers and tests are removed; importing torch needs torch_shm_manager.
ARG ALLOW_CUDA=0
COPY deploy/install-torch /source/deploy/
COPY deploy/hashes/torch.txt /source/
RUN pip install --no-deps --require-hashes --requirement /source/torch.txt \
    && WHEELS=/wheels sh /source/deploy/install-torch python torch \
    && rm -rf /venv/lib/python3*/site-packages/torch/include /venv/lib/python3*/site-packages/torch/test \
    && find /venv/lib/python3*/site-packages/torch/bin -type f ! -name torch_shm_manager -delete

FROM packages AS dependencies
COPY deploy/bill pyproject.toml /source/
RUN sh /source/bill

# Dependencies of the model server.
FROM packages AS model-dependencies
COPY deploy/hashes/serve.txt /source/
RUN pip install --no-deps --require-hashes --requirement /source/serve.txt
COPY deploy/bill pyproject.toml /source/
RUN sh /source/bill

# The package and its command, in a layout that can be copied over the virtual environment.
FROM pip AS package
COPY pyproject.toml README.md LICENSE /source/
COPY deploy/gunicorn.conf.py /source/deploy/
COPY migrations/ /source/migrations/
COPY static/ /source/static/
COPY templates/ /source/templates/
COPY mnistweb/ /source/mnistweb/
RUN PIP_PYTHON=/tools pip wheel --no-build-isolation --no-deps --wheel-dir /dist /source \
    && pip install --no-index --no-deps --prefix /package /dist/*.whl

# The model server on Ray Serve.
FROM ${PYTHON_IMAGE} AS model
ENV HOME=/tmp \
    OMP_NUM_THREADS=1 \
    PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RAY_USAGE_STATS_ENABLED=0
WORKDIR /app
RUN groupadd --gid 10001 mnistweb \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mnistweb
# KubeRay starts Ray from a login shell, which has its own PATH, and checks its health with wget.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /venv/bin/ray /venv/bin/serve /usr/local/bin/
COPY --from=model-dependencies /venv /venv
COPY --from=package /package /venv
COPY deploy/model-server.yaml ./
# A container must be reachable from outside.
RUN sed -i 's/host: 127.0.0.1/host: 0.0.0.0/' model-server.yaml
USER 10001:10001
EXPOSE 8001
HEALTHCHECK --interval=5s --timeout=5s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8001/v2/health/ready', timeout=4)"]
# Ray without its dashboard (ten processes), and with a small object store, since images and logits are sent by HTTP.
# Without the token, Ray would run anyone's code.
CMD ["sh", "-c", "head -c 32 /dev/urandom | od -A n -t x1 | tr -d ' \\n' > /tmp/token \
      && export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=/tmp/token \
      && ray start --head --disable-usage-stats --include-dashboard=false --object-store-memory=83886080 \
      && exec serve run model-server.yaml"]

# The site. Its last stages differ in the installed dependencies.
FROM ${PYTHON_IMAGE} AS base
ENV ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PATH=/venv/bin:$PATH \
    PORT=8000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
# Only instance/ belongs to the site's user: it contains the SQLite file, unless DATABASE_URL is set.
RUN groupadd --gid 10001 mnistweb \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mnistweb \
    && install --directory --owner mnistweb --group mnistweb --mode 700 instance
COPY --from=package /package /venv
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=8)"]
CMD ["mnistweb", "serve"]

# Without PyTorch, for a model server.
FROM base AS site
COPY --from=site-dependencies /venv /venv

# With PyTorch: the default target.
FROM base AS whole
COPY --from=dependencies /venv /venv
