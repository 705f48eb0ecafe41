# The Gradio demo in a container, for any host that runs one:
#   docker build -t photo-emotion .
#   docker run --rm -p 127.0.0.1:7860:7860 photo-emotion      then open http://localhost:7860
# The image contains only what `make space` writes. Its base is named by its digest, so that every
# build is the same: Python 3.11.16 for all processors, of September 2026. For a newer one, with
# Debian's later security fixes, take the digest that `docker buildx imagetools inspect
# python:3.11-slim-bookworm` prints:
#   docker build --build-arg BASE=python@sha256:... -t photo-emotion .
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS space
WORKDIR /repository
COPY . .
RUN .ci/space /space

FROM ${BASE}
COPY --from=space /space/requirements.txt /space/constraints.txt /tmp/
RUN pip install --no-cache-dir -r /tmp/requirements.txt -c /tmp/constraints.txt
# Don't process strangers' photos as root.
RUN useradd --create-home demo
USER demo
WORKDIR /app
COPY --from=space /space .
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --start-period=2m --interval=1m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860')"]
CMD ["python", "app.py"]
