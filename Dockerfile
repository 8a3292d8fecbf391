# A small image with the one binary. Build: docker build -t klamm .
FROM rust:1-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
 && cargo build --profile dist --package klamm-cli

FROM debian:bookworm-slim
RUN useradd --system --home-dir /var/lib/klamm --create-home klamm
COPY --from=build /source/target/dist/klamm /usr/local/bin/klamm
USER klamm
WORKDIR /var/lib/klamm
VOLUME /var/lib/klamm
EXPOSE 9092 9080
STOPSIGNAL SIGTERM
# Clients must be told an address that they can reach: override KLAMM_ADVERTISED with the host's name.
ENV KLAMM_ADVERTISED=localhost
ENTRYPOINT ["/bin/sh", "-c", "exec klamm server --data /var/lib/klamm/data --listen 0.0.0.0:9092 --http 0.0.0.0:9080 --set advertised.listeners=PLAINTEXT://$KLAMM_ADVERTISED:9092 \"$@\"", "klamm"]
