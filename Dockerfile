# The product alone: the locked packages, each checked against its hash, and our own, with nothing that builds or
# installs. It runs as a user without a name or rights; /var/lib/scorestream is the worker's.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/scorestream
COPY requirements.lock ./
RUN python -m pip --python /opt/scorestream/bin/python install --quiet --no-deps --no-compile --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY schemas ./schemas
COPY stream ./stream
COPY agents ./agents
COPY dashboards ./dashboards
COPY docs/operations.md ./docs/operations.md
RUN python -m pip --python /opt/scorestream/bin/python install --quiet --no-deps --no-compile --no-build-isolation .
RUN python -m pip --python /opt/scorestream/bin/python uninstall --quiet --yes hatchling pathspec pluggy trove-classifiers
RUN /opt/scorestream/bin/python -m compileall -q -j 0 /opt/scorestream/lib

FROM python:3.11.13-slim-bookworm
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/scorestream
COPY --from=build /opt/scorestream /opt/scorestream
ENV PATH=/opt/scorestream/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["scorestream"]
CMD ["--help"]
