//! The HTTP port, asked over loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use klamm_env::{Env, RealOptions};
use klamm_gateway::{GatewayOptions, Health, HttpHandle, Introspect, Status, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Node(Status);

impl Introspect for Node {
    fn metrics_text(&self) -> String {
        "# EOF\n".to_owned()
    }

    fn health(&self) -> Health {
        Health { status: self.0, version: "1.2.3", node_id: 7, problems: Vec::new() }
    }
}

fn started(env: &Env, status: Status, options: GatewayOptions) -> HttpHandle {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    serve(env, address, Arc::new(Node(status)), options).unwrap()
}

async fn get(env: &Env, address: SocketAddr, path: &str) -> String {
    let mut stream = env.net().connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn health_and_metrics_are_answered_and_all_else_is_404() {
    let env = Env::real(RealOptions::default());
    let http = started(&env, Status::Ok, GatewayOptions::default());
    let health = get(&env, http.address(), "/healthz").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(health.ends_with(r#"{"status":"ok","version":"1.2.3","node_id":7}"#), "{health}");
    let metrics = get(&env, http.address(), "/metrics").await;
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert!(get(&env, http.address(), "/").await.starts_with("HTTP/1.1 404"));
    http.shutdown().await;
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_503() {
    let env = Env::real(RealOptions::default());
    let http = started(&env, Status::Unavailable, GatewayOptions::default());
    assert!(get(&env, http.address(), "/healthz").await.starts_with("HTTP/1.1 503"));
    http.shutdown().await;
}

#[tokio::test]
async fn silent_connections_lose_their_places() {
    let env = Env::real(RealOptions::default());
    let options = GatewayOptions { connections_max: 2, idle_max: Duration::from_millis(50) };
    let http = started(&env, Status::Ok, options);
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(env.net().connect(http.address()).await.unwrap());
    }
    assert!(get(&env, http.address(), "/healthz").await.starts_with("HTTP/1.1 200"));
    http.shutdown().await;
}
