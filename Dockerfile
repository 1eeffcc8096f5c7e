# Which versions will do is said in pyproject.toml alone.
# hadolint global ignore=DL3013
ARG PYTHON_IMAGE=python:3.11-slim

# Everything that is installed, in a virtual environment that the last stage takes over as it is.
FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_FIND_LINKS=/wheels \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/venv \
    PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /venv
# wheels/ may hold wheels that need not be downloaded.
COPY wheels/ /wheels/
# A server needs no CUDA: torch is a wheel that was handed over, else the CPU build, and PyPI's where that
# cannot be reached. Of torch, headers and its own tests stay behind;
# torch_shm_manager is looked for on import.
RUN { pip install --no-index --no-deps torch \
      || pip install --retries 0 --timeout 5 --index-url https://download.pytorch.org/whl/cpu torch \
      || pip install torch; } \
    && rm -rf /venv/lib/python3*/site-packages/torch/include /venv/lib/python3*/site-packages/torch/test \
    && find /venv/lib/python3*/site-packages/torch/bin -type f ! -name torch_shm_manager -delete
COPY pyproject.toml /source/
RUN python -c "import tomllib; print(*tomllib.load(open('/source/pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > /source/requirements.txt \
    && pip install --requirement /source/requirements.txt

# The package and its command, laid out so that they can be copied over the virtual environment.
FROM dependencies AS package
RUN pip install hatchling
COPY README.md LICENSE /source/
COPY mnistweb/ /source/mnistweb/
RUN pip install --no-build-isolation --no-deps --prefix /package /source

FROM ${PYTHON_IMAGE}
ENV ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PATH=/venv/bin:$PATH \
    PORT=8000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
# Only instance/ belongs to the site's user: SQLite's file lies there where no other database is set.
RUN groupadd --gid 10001 mnistweb \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mnistweb \
    && install --directory --owner mnistweb --group mnistweb --mode 700 instance
COPY --from=dependencies /venv /venv
COPY --from=package /package /venv
COPY deploy/start wsgi.py gunicorn.conf.py ./
COPY migrations/ migrations/
COPY static/ static/
COPY templates/ templates/
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=8)"]
CMD ["./start"]
