# A small image with the one binary.
#   docker build -t klamm .
#   docker run --rm --stop-timeout 60 -p 9092:9092 -p 9080:9080 -v klamm:/var/lib/klamm klamm
# What follows the image's name is passed on to `klamm server`: `klamm --set num.partitions=3`.
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
# Clients must be told a name that they can reach: override it with the host's.
ENV KLAMM_ADVERTISED=localhost
ENTRYPOINT ["/bin/sh", "-c", "exec klamm server --data /var/lib/klamm/data --listen 0.0.0.0:9092 --http 0.0.0.0:9080 --set advertised.listeners=PLAINTEXT://$KLAMM_ADVERTISED:9092 \"$@\"", "klamm"]
