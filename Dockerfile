# syntax=docker/dockerfile:1
ARG SWIFT=6.3-bookworm

FROM swift:${SWIFT} AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends librdkafka-dev libcurl4-openssl-dev libyaml-dev libxxhash-dev libmicrohttpd-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.swift ./
COPY Sources ./Sources
# the manifest names every test target; their folders are not part of the image
COPY Tests ./Tests
RUN swift build -c release --product crossfade --static-swift-stdlib \
    && install -s "$(swift build -c release --show-bin-path)/crossfade" /usr/local/bin/crossfade

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends librdkafka1 libcurl4 libyaml-0-2 libxxhash0 libmicrohttpd12 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home crossfade \
    && install -d -o crossfade -g crossfade /var/lib/crossfade
COPY --from=builder /usr/local/bin/crossfade /usr/local/bin/crossfade
USER crossfade
WORKDIR /recipes
# Where a verification keeps its progress. The rest may be read-only: nothing else is written but what is named, which
# belongs there too: finish --archive /var/lib/crossfade/NAME.json, verify --report /var/lib/crossfade/receipt.html
ENV HOME=/var/lib/crossfade
# Whether the process answers; a recipe with another operations.listen needs another one. docs/operations.md
HEALTHCHECK --interval=20s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /livez HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["crossfade"]
CMD ["--help"]
