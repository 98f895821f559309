# syntax=docker/dockerfile:1
# Two stages: the first has pip and the sources, the second only the finished environment and a user without rights.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY sentinel_core sentinel_core
COPY sentinel_plugins sentinel_plugins
COPY sentinel_server sentinel_server
# `fast` brings the second runner, `redis` the shared state: each is a line of configuration, not another image.
# `pii` for names and places is 400 MB more: --build-arg EXTRAS=fast,redis,pii
ARG EXTRAS=fast,redis
RUN python -m venv /opt/sentinel \
    && /opt/sentinel/bin/pip install --no-cache-dir --disable-pip-version-check ".[${EXTRAS}]"

FROM python:3.13-slim
RUN groupadd --system --gid 10001 sentinel \
    && useradd --system --uid 10001 --gid sentinel --no-create-home --shell /usr/sbin/nologin sentinel
COPY --from=build /opt/sentinel /opt/sentinel
# A container is reached from outside only through a published port, so it listens on every address of its own.
ENV PATH=/opt/sentinel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SENTINEL_ENV=production \
    SENTINEL_HOST=0.0.0.0 \
    SENTINEL_PORT=8000
# `sentinel.toml` is looked for here: mount it at /srv/sentinel/sentinel.toml.
WORKDIR /srv/sentinel
USER 10001:10001
EXPOSE 8000
# /health/live answers while the process can serve; the image has no curl, Python is enough. A proxy is for others.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['SENTINEL_PORT'] + '/health/live', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sentinel"]
CMD ["serve"]
