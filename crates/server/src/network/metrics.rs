//! What the network counts. Labels are API names, error names, listener names and closed sets.

use klamm_protocol::ErrorCode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::config::ListenerName;
use crate::network::connection::ConnectionEnd;
use crate::request_context::{ListenerContext, RequestContext};

/// Counters and gauges of sockets and requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NetworkMetrics {
    requests: Family<ApiLabel, Counter>,
    errors: Family<ErrorLabel, Counter>,
    latency: Family<ApiLabel, Histogram>,
    received_bytes: Family<ListenerLabel, Counter>,
    sent_bytes: Family<ListenerLabel, Counter>,
    accepted: Family<ListenerLabel, Counter>,
    refused: Family<ListenerLabel, Counter>,
    connections: Family<ListenerLabel, Gauge>,
    ended: Family<EndLabel, Counter>,
    overdrafts: Counter,
    /// Permits of requests beyond connection memory, in bytes.
    pub request_bytes_in_use: Gauge,
    /// Permits of responses in memory, in bytes.
    pub response_bytes_in_use: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabel {
    request: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabel {
    request: &'static str,
    error: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: ListenerValue,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ListenerValue(ListenerName);

impl EncodeLabelValue for ListenerValue {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.0.as_str().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabel {
    reason: EndReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the label values")]
enum EndReason {
    client,
    idle,
    stalled,
    malformed,
    refused_request,
    io,
    stopping,
    internal,
}

/// Bounds of the latency buckets, in seconds.
const LATENCY_BOUNDS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 5.0];

impl NetworkMetrics {
    /// Declares all metrics in `registry`.
    pub fn new(registry: &mut Registry) -> NetworkMetrics {
        let metrics = NetworkMetrics {
            requests: Family::default(),
            errors: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS)),
            received_bytes: Family::default(),
            sent_bytes: Family::default(),
            accepted: Family::default(),
            refused: Family::default(),
            connections: Family::default(),
            ended: Family::default(),
            overdrafts: Counter::default(),
            request_bytes_in_use: Gauge::default(),
            response_bytes_in_use: Gauge::default(),
        };
        metrics.register(registry);
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        let requests = registry.sub_registry_with_prefix("kafka_network_requestmetrics");
        requests.register("requests", "Requests answered, by API", self.requests.clone());
        requests.register(
            "errors",
            "Answers by error code of the whole answer",
            self.errors.clone(),
        );
        requests.register_with_unit(
            "total_time",
            "Time from the last byte of a request to the last byte of its answer",
            Unit::Seconds,
            self.latency.clone(),
        );
        let sockets = registry.sub_registry_with_prefix("kafka_server_socketserver");
        sockets.register_with_unit(
            "incoming",
            "Bytes of requests received",
            Unit::Bytes,
            self.received_bytes.clone(),
        );
        sockets.register_with_unit(
            "outgoing",
            "Bytes of responses sent",
            Unit::Bytes,
            self.sent_bytes.clone(),
        );
        sockets.register("connections", "Open connections", self.connections.clone());
        sockets.register("connections_accepted", "Connections accepted", self.accepted.clone());
        sockets.register(
            "connections_refused",
            "Connections dropped for max.connections.per.ip",
            self.refused.clone(),
        );
        let own = registry.sub_registry_with_prefix("klamm_network");
        own.register("connections_ended", "Connections that ended, by reason", self.ended.clone());
        own.register(
            "response_pool_overdrafts",
            "Answers larger than what the response pool had left",
            self.overdrafts.clone(),
        );
        own.register_with_unit(
            "request_pool_used",
            "Permits of requests beyond connection memory",
            Unit::Bytes,
            self.request_bytes_in_use.clone(),
        );
        own.register_with_unit(
            "response_pool_used",
            "Permits of responses built in memory",
            Unit::Bytes,
            self.response_bytes_in_use.clone(),
        );
    }

    /// A frame has come in.
    pub fn received(&self, listener: &ListenerContext, size_bytes: usize) {
        self.received_bytes.get_or_create(&listener_label(listener)).inc_by(size_bytes as u64);
    }

    /// An answer has left (or there was none to give: size 0).
    pub fn answered(&self, ctx: &RequestContext, now: Instant, size_bytes: u64) {
        let label = api_label(ctx);
        self.requests.get_or_create(&label).inc();
        let elapsed = now.saturating_duration_since(ctx.received_at);
        self.latency.get_or_create(&label).observe(elapsed.as_secs_f64());
        self.sent_bytes.get_or_create(&listener_label(ctx.listener())).inc_by(size_bytes);
    }

    /// An answer carries this error as a whole.
    pub fn error(&self, ctx: &RequestContext, error: ErrorCode) {
        if error == ErrorCode::None {
            return;
        }
        let label = ErrorLabel { request: ctx.api_key.name(), error: error.name() };
        self.errors.get_or_create(&label).inc();
    }

    /// A connection has been accepted; dropping the guard counts it out.
    pub fn connected(&self, listener: &ListenerContext) -> ConnectedGuard {
        let label = listener_label(listener);
        self.accepted.get_or_create(&label).inc();
        let gauge = self.connections.get_or_create(&label).clone();
        gauge.inc();
        ConnectedGuard { gauge }
    }

    /// A connection was dropped because its address has its share.
    pub fn refused(&self, listener: &ListenerContext) {
        self.refused.get_or_create(&listener_label(listener)).inc();
    }

    /// A connection has ended.
    pub fn connection_ended(&self, end: &ConnectionEnd) {
        self.ended.get_or_create(&EndLabel { reason: EndReason::of(end) }).inc();
    }

    /// An answer was larger than what the response pool had left.
    pub fn response_overdraft(&self) {
        self.overdrafts.inc();
    }
}

/// Counts one open connection.
#[derive(Debug)]
pub struct ConnectedGuard {
    gauge: Gauge,
}

impl Drop for ConnectedGuard {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

fn api_label(ctx: &RequestContext) -> ApiLabel {
    ApiLabel { request: ctx.api_key.name() }
}

fn listener_label(listener: &ListenerContext) -> ListenerLabel {
    ListenerLabel { listener: ListenerValue(listener.name.clone()) }
}

impl EndReason {
    fn of(end: &ConnectionEnd) -> EndReason {
        use crate::network::frame_reader::ReadEnd;
        use crate::network::response_writer::WriteError;
        match end {
            ConnectionEnd::Lost | ConnectionEnd::Read(ReadEnd::Closed) => EndReason::client,
            ConnectionEnd::Read(ReadEnd::Idle) => EndReason::idle,
            ConnectionEnd::Read(ReadEnd::Stalled) | ConnectionEnd::Write(WriteError::Stalled) => {
                EndReason::stalled
            }
            ConnectionEnd::Read(ReadEnd::Io(_)) | ConnectionEnd::Write(WriteError::Io(_)) => {
                EndReason::io
            }
            ConnectionEnd::Read(_) => EndReason::malformed,
            ConnectionEnd::Dispatch(_) | ConnectionEnd::Handler(_) => EndReason::refused_request,
            ConnectionEnd::Finish(_) => EndReason::internal,
            ConnectionEnd::Stopping => EndReason::stopping,
        }
    }
}
