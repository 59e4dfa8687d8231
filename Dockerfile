# Three stages, so that a change of code rebuilds only the last, small layer.
ARG PYTHON_IMAGE=python:3.11-slim-trixie

FROM ${PYTHON_IMAGE} AS dependencies
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
ARG PIP_INDEX_URL
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# torch comes first and alone: everything after it then accepts the build that is there.
COPY requirements/torch.txt requirements/torch.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} -r requirements/torch.txt
COPY requirements/lock.txt requirements/lock.txt
COPY pyproject.toml pyproject.toml
# What the service runs on, at the versions of the lock; the tools of its developers stay out.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    > /opt/runtime.txt && pip install -r /opt/runtime.txt -c requirements/lock.txt

FROM ${PYTHON_IMAGE} AS wheel
ARG PIP_INDEX_URL
WORKDIR /src
COPY requirements/lock.txt requirements/lock.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install -c requirements/lock.txt hatchling
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels .

FROM ${PYTHON_IMAGE}
# LightGBM, which ranks where trees were learned, loads the system's OpenMP; slim images lack it.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=dependencies /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH HOME=/data DUIJIE_HOME=/data PYTHONUNBUFFERED=1
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
RUN --mount=type=bind,from=wheel,source=/opt/wheels,target=/opt/wheels \
    pip install --no-cache-dir --no-deps --no-index --disable-pip-version-check /opt/wheels/duijie-*.whl
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["duijie", "serve"]
