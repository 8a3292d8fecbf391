//! Starts, stops and kills the broker under test.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::{Context, programs};

/// Which broker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The binary at this path.
    Klamm(PathBuf),
    /// Apache Kafka from the class path of the tools.
    Kafka,
}

/// A running (or stopped) broker on a directory of its own.
pub struct Broker {
    kind: Kind,
    folder: PathBuf,
    port: u16,
    java: Vec<String>,
    child: Option<Child>,
}

/// How long a broker may take to answer its first connection.
const START_SECONDS_MAX: u64 = 90;

impl Broker {
    /// Starts a broker of the context's kind on `folder`, which is made if it is missing.
    pub fn start(context: &Context, folder: PathBuf) -> anyhow::Result<Broker> {
        Broker::start_kind(context, context.kind.clone(), folder, "")
    }

    /// Starts a broker of any kind on `folder`, with `extra` lines in its `server.properties`.
    pub fn start_kind(
        context: &Context,
        kind: Kind,
        folder: PathBuf,
        extra: &str,
    ) -> anyhow::Result<Broker> {
        Broker::start_on(context, kind, folder, extra, free_port()?)
    }

    /// As `start_kind`, on a given port; `extra` may replace the listeners.
    pub fn start_on(
        context: &Context,
        kind: Kind,
        folder: PathBuf,
        extra: &str,
        port: u16,
    ) -> anyhow::Result<Broker> {
        fs::create_dir_all(&folder)?;
        let controller = free_port()?;
        let data = folder.join("data");
        fs::write(
            folder.join("server.properties"),
            format!(
                "process.roles=broker,controller\nnode.id=1\n\
                 listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                 advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                 controller.quorum.voters=1@127.0.0.1:{controller}\n\
                 controller.listener.names=CONTROLLER\n\
                 listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
                 log.dirs={}\nnum.partitions=6\noffsets.topic.replication.factor=1\n\
                 transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n{extra}",
                data.display()
            ),
        )?;
        let mut broker =
            Broker { kind, folder, port, java: context.tools.java("kafka.Kafka"), child: None };
        if broker.kind == Kind::Kafka && !data.join("meta.properties").exists() {
            let properties = broker.properties();
            programs::kafka_tool(
                context,
                "kafka.tools.StorageTool",
                &["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", &properties],
            )?;
        }
        broker.restart()?;
        Ok(broker)
    }

    /// `HOST:PORT` for clients.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The log directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts the process (again) on the same directory and port, and waits until it answers.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = match &self.kind {
            Kind::Klamm(binary) => {
                let mut command = Command::new(binary);
                command.args(["server", "--http", "127.0.0.1:0", "--config", &self.properties()]);
                command
            }
            Kind::Kafka => {
                let mut command = Command::new("java");
                command.args(&self.java).arg(self.properties());
                command
            }
        };
        let child = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the broker cannot be started")?;
        self.child = Some(child);
        self.await_ready()
    }

    /// Stops with SIGTERM and checks that it ended well.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        signal(child.id(), "TERM")?;
        let status = child.wait()?;
        // The JVM reports 128 + SIGTERM after a clean stop.
        if !status.success() && self.kind != Kind::Kafka {
            bail!("the broker ended with {status}; its log: {}", self.log_file().display());
        }
        Ok(())
    }

    /// Kills with SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn properties(&self) -> String {
        self.folder.join("server.properties").to_string_lossy().into_owned()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("broker.log")
    }

    /// Waits until the broker answers an ApiVersions request.
    fn await_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        while Instant::now() < deadline {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the broker ended with {status}; its log: {}", self.log_file().display());
            }
            if answers(self.port) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("no answer within {START_SECONDS_MAX} s; its log: {}", self.log_file().display())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn answers(port: u16) -> bool {
    // ApiVersions v0, correlation id 7, client id "probe".
    let request = [0, 0, 0, 15, 0, 18, 0, 0, 0, 0, 0, 7, 0, 5, b'p', b'r', b'o', b'b', b'e'];
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut head = [0; 10];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(&request).is_ok()
        && stream.read_exact(&mut head).is_ok()
        && head[4..8] == [0, 0, 0, 7]
}

/// A port that nobody listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn signal(process: u32, name: &str) -> anyhow::Result<()> {
    crate::command::run(Path::new("/"), "kill", &[format!("-{name}"), process.to_string()])
}
