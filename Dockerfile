# The image of the service: the same `python -m service` as `make serve`, on every interface of the container.
# PYTHON_IMAGE is any image with Python 3.11+ as python3 and its venv module; the building stage also needs pip.
# A release names it by digest, see docs/operating.md: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS packages
COPY requirements.lock /build/requirements.lock
# Wheels only and every hash checked: nothing is compiled. The environment holds no pip of its own.
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python3 --no-cache-dir --disable-pip-version-check \
        install --quiet --only-binary=:all: --require-hashes -r /build/requirements.lock
# The command, as pip would install it; the packages themselves stay in /app.
RUN printf '#!/bin/sh\nexec python3 -m service.command_line "$@"\n' > /opt/venv/bin/fasciculation-cds \
    && chmod 755 /opt/venv/bin/fasciculation-cds

FROM ${PYTHON_IMAGE}
# docker build --build-arg REVISION="$(git rev-parse HEAD)" .
ARG REVISION=
LABEL org.opencontainers.image.title="fasciculation-cds" \
    org.opencontainers.image.description="CDS Hooks service that tells benign from disease-related muscle twitching" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=packages /opt/venv /opt/venv
COPY LICENSE NOTICE openapi.yaml sbom.cdx.json /app/
COPY artifacts /app/artifacts
COPY examples /app/examples
COPY schemas /app/schemas
COPY fhir_mappings /app/fhir_mappings
COPY service /app/service
# Compiled here: the user of the container cannot write, and would compile all modules at every start.
# Where feedback is kept, if nothing else is set: mount a volume at /data.
RUN python3 -m compileall -q /app && mkdir /data && chown 10001:10001 /data
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000 \
    FEEDBACK_DB=sqlite:////data/feedback.sqlite3
EXPOSE 8000
# A number, so that an orchestrator can see that it is not root; no name needs to exist.
USER 10001:10001
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
CMD ["python3", "-m", "service"]
