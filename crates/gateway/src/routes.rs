//! What is answered under which path.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::introspect::{Introspect, Status};

/// The content type of OpenMetrics text, which Prometheus reads.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Node = Arc<dyn Introspect>;

/// All routes; anything else is 404.
pub(crate) fn routes(node: Node) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .with_state(node)
}

async fn healthz(State(node): State<Node>) -> Response {
    let health = node.health();
    let code = match health.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(health)).into_response()
}

async fn metrics(State(node): State<Node>) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], node.metrics_text()).into_response()
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found; try /healthz or /metrics\n").into_response()
}
