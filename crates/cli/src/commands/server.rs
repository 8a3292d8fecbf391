//! `klamm server`: a node from the command line to its clean stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use klamm_env::{Env, RealOptions};
use klamm_gateway::{GatewayOptions, Health, HttpHandle, Introspect, Status};
use klamm_server::broker::Broker;
use klamm_server::{ConfigErrors, ConfigSources, Server, ServerConfig, ServerHandle};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServerArguments;
use crate::{exit, logging};

/// Largest configuration file that is read, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Runs a node until it is told to stop.
pub fn run(arguments: ServerArguments) -> ExitCode {
    logging::init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("klamm: cannot start: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    runtime.block_on(async {
        let env = Env::real(RealOptions::default());
        let config = match read_config(arguments, &env).await {
            Ok(config) => config,
            Err(error) => {
                for line in error.lines {
                    eprintln!("klamm: {line}");
                }
                return ExitCode::from(exit::WRONG_USAGE);
            }
        };
        match run_node(config, env).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("klamm: {error:#}");
                ExitCode::from(exit::FAILED)
            }
        }
    })
}

async fn read_config(arguments: ServerArguments, env: &Env) -> Result<ServerConfig, ConfigErrors> {
    let file = arguments.config.as_deref().map(|path| read_file(path, env)).transpose()?;
    let sources = ConfigSources {
        file,
        overrides: arguments.set,
        data: arguments.data,
        listen: arguments.listen,
        http: arguments.http,
        hostname: hostname(env).await,
    };
    sources.load()
}

fn read_file(path: &Path, env: &Env) -> Result<(String, String), ConfigErrors> {
    let name = path.display().to_string();
    let wrong = |line: String| ConfigErrors { lines: vec![line] };
    // The error names the path.
    let bytes = env
        .disk()
        .read(path, FILE_BYTES_MAX)
        .map_err(|error| wrong(format!("--config: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| wrong(format!("--config: {name} is not UTF-8 text")))?;
    Ok((name, text))
}

/// This machine's name, if clients have a chance to resolve it because we can.
async fn hostname(env: &Env) -> Option<String> {
    let hostname = env.net().hostname();
    env.net().resolve(&hostname, 0).await.is_ok().then_some(hostname)
}

async fn run_node(config: ServerConfig, env: Env) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let data: Vec<_> = config.log_dirs.iter().map(|dir| dir.display().to_string()).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        node = config.node_id.0,
        data = data.join(","),
        "starting"
    );
    let http_listener = config.http_listener.clone();
    let options = GatewayOptions {
        connections_max: config.http_connections_max,
        ..GatewayOptions::default()
    };
    let server = Server::start(config, env.clone()).await?;
    let http = match http_listener {
        Some(listener) => Some(start_http(&env, &listener, &server, options).await?),
        None => None,
    };
    announce(&server)?;
    tokio::select! {
        biased;
        () = signals.wait() => {}
        reason = server.failed() => {
            // Nothing may be acknowledged any more, and nothing that is on the disk gets better by a clean stop.
            tracing::error!("{reason}");
            std::process::exit(exit::METADATA_LOG_FAILED);
        }
    }
    tracing::info!("stopping; a second signal stops at once");
    let stopped = async {
        if let Some(http) = http {
            http.shutdown().await;
        }
        server.shutdown().await;
    };
    tokio::select! {
        biased;
        () = signals.wait() => std::process::exit(exit::STOPPED_AT_ONCE),
        () = stopped => {}
    }
    tracing::info!("stopped");
    Ok(())
}

async fn start_http(
    env: &Env,
    listener: &str,
    server: &ServerHandle,
    options: GatewayOptions,
) -> anyhow::Result<HttpHandle> {
    let address = http_address(env, listener).await?;
    let node = Arc::new(Node { broker: Arc::clone(server.broker()) });
    let http = klamm_gateway::serve(env, address, node, options)
        .with_context(|| format!("klamm.http.listener {listener}"))?;
    tracing::info!(address = %http.address(), "HTTP is served");
    Ok(http)
}

async fn http_address(env: &Env, listener: &str) -> anyhow::Result<SocketAddr> {
    let (host, port) = listener
        .rsplit_once(':')
        .ok_or_else(|| anyhow!("{listener} is not of the form host:port"))?;
    let host = match host.trim_matches(['[', ']']) {
        "" => "0.0.0.0",
        host => host,
    };
    let addresses = env.net().resolve(host, port.parse()?).await?;
    addresses.first().copied().ok_or_else(|| anyhow!("{host} has no address"))
}

/// Says what an ack means, then the one line on stdout that scripts wait for.
fn announce(server: &ServerHandle) -> anyhow::Result<()> {
    tracing::info!(
        "an acknowledged record survives kill -9 of this process, but not a power cut: the operating \
         system writes it to disk later, as with Kafka; flush.messages and flush.ms are stored and \
         have no effect yet"
    );
    let (_, address) = server.addresses().first().ok_or_else(|| anyhow!("no listener is open"))?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "klamm ready on {address}")?;
    stdout.flush()?;
    Ok(())
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The node as the HTTP port sees it.
struct Node {
    broker: Arc<Broker>,
}

impl Introspect for Node {
    fn metrics_text(&self) -> String {
        self.broker.metrics_text()
    }

    fn health(&self) -> Health {
        let dirs = self.broker.replica_manager().log_manager().dirs();
        let failed = dirs.into_iter().filter_map(|dir| {
            let reason = dir.offline?;
            Some(format!("log directory {} is offline: {reason}", dir.path.display()))
        });
        let problems: Vec<String> = failed.collect();
        Health {
            status: if problems.is_empty() { Status::Ok } else { Status::Degraded },
            version: env!("CARGO_PKG_VERSION"),
            node_id: self.broker.node_id().0,
            problems,
        }
    }
}
