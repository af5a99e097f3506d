# One image for every part: `initlab api`, `initlab worker`, `initlab db upgrade`; without a command it is all in one:
# docker run -p 8000:8000 -v initlab:/data IMAGE. Its log shows, at the first start, the key that others need.
FROM python:3.12-slim AS service

# PyTorch's own builds without CUDA are a tenth of the size. For a GPU: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 INITLAB_DATA_DIR=/data \
    INITLAB_CACHE_DIR=/data/cache

# The letters of arms' labels in pictures: nearly every script, Chinese, Japanese and Korean, and emoji without colour.
# And pg_dump, for `initlab db backup`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-noto-core fonts-noto-cjk fonts-symbola postgresql-client \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 10001 --create-home initlab && install --directory --owner initlab /data
WORKDIR /app

# The large ones first: they change seldom, the sources often.
COPY constraints.txt ./
RUN pip install --extra-index-url "$TORCH_INDEX" -c constraints.txt torch torchvision

COPY pyproject.toml README.md LICENSE ./
COPY api ./api
COPY core ./core
COPY initlab ./initlab
COPY migrations ./migrations
COPY worker ./worker
RUN pip install --extra-index-url "$TORCH_INDEX" -c constraints.txt '.[server,oidc]'

# The manual of this version, made by the service's own code; its tools stay in this stage.
FROM service AS manual
RUN pip install -c constraints.txt '.[docs]'
COPY CHANGELOG.md CONTRIBUTING.md SECURITY.md ./
COPY bench/records ./bench/records
COPY docs ./docs
COPY examples ./examples
RUN python -m docs.manual

FROM service
COPY --from=manual /app/api/manual/site ./api/manual/site
RUN pip install --no-deps --force-reinstall .

USER initlab
WORKDIR /data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["initlab"]
CMD ["serve", "--host", "0.0.0.0", "--first-key"]
