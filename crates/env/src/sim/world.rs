//! `Sim`: the simulated world as a test holds it.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use super::blocking::SimBlocking;
use super::disk::{CrashKind, MemoryDisk, SimDisk, Store};
use super::life::Life;
use super::net::{MemoryNet, Network, NodeId, SimNet};
use super::time::VirtualTime;
use super::trace::{FINGERPRINT_START, Trace, fingerprint};
use crate::env::{Env, Simulated};
use crate::rng::Rng;
use crate::tasks::TaskScope;

/// The node that [`Sim::run`], [`Sim::env`] and [`Sim::disk`] mean.
const FIRST_NODE: &str = "n1";
const TIME_LIMIT: Duration = Duration::from_secs(3600);

/// Nodes with their disks and network on one thread and virtual time, replayed exactly from a seed.
///
/// Time stands still while anything can run, and jumps to the next timer when nothing can. A panic in any task fails
/// the run. Time, disks and tasks go on from one [`Sim::run`] to the next.
pub struct Sim {
    seed: u64,
    runtime: Runtime,
    world: Arc<World>,
    time_limit: Duration,
}

pub(crate) struct World {
    seed: u64,
    runtime: Handle,
    time: VirtualTime,
    trace: Trace,
    network: Arc<Network>,
    nodes: Mutex<BTreeMap<String, Node>>,
}

struct Node {
    id: NodeId,
    name: Arc<str>,
    store: Arc<Store>,
    starts: u64,
    running: Option<Running>,
}

struct Running {
    env: Env,
    life: Life,
    scope: TaskScope,
}

impl Sim {
    pub fn new(seed: u64) -> Sim {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
            .unhandled_panic(tokio::runtime::UnhandledPanic::ShutdownRuntime)
            .build()
            .expect("a runtime without I/O needs nothing of the system");
        let handle = runtime.handle().clone();
        let time = VirtualTime::start(&handle);
        let trace = Trace::new(time.clone());
        let network = Network::new(derived(seed, "network", 0), trace.clone());
        let world = World {
            seed,
            runtime: handle,
            time,
            trace,
            network: Arc::new(network),
            nodes: Mutex::default(),
        };
        Sim { seed, runtime, world: Arc::new(world), time_limit: TIME_LIMIT }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Runs a future, with the environment of node `n1`, to its end. The future itself belongs to no node: it is where
    /// the test stands and crashes others.
    ///
    /// # Panics
    /// When a task panics, or when the future has not ended after an hour of virtual time
    /// ([`Sim::set_time_limit`]): it would wait for ever.
    pub fn run<F, Fut>(&self, f: F) -> Fut::Output
    where
        F: FnOnce(Env) -> Fut,
        Fut: Future,
    {
        let env = self.env();
        self.runtime.block_on(async {
            match tokio::time::timeout(self.time_limit, f(env)).await {
                Ok(output) => output,
                Err(_) => panic!(
                    "the simulation is stuck after {:?} of virtual time; running: {:?}",
                    self.time_limit,
                    self.world.running()
                ),
            }
        })
    }

    /// Bounds the virtual time of each later [`Sim::run`].
    pub fn set_time_limit(&mut self, limit: Duration) {
        self.time_limit = limit;
    }

    /// As [`Sim::node`] for `n1`.
    pub fn env(&self) -> Env {
        self.node(FIRST_NODE)
    }

    /// The environment of a node, which is started if it is not running: with an empty disk at first, later with what
    /// its last crash left.
    pub fn node(&self, name: &str) -> Env {
        self.world.node(name)
    }

    /// Under which address others reach the node. Its name resolves to it.
    pub fn address(&self, name: &str) -> IpAddr {
        self.world.with_node(name, |world, node| world.net(node, &Life::default()).ip())
    }

    /// Takes a node down at once: its tasks are aborted, its connections reset, its disk keeps what the kind says, and
    /// nothing that its tasks still hold works any more. No effect beyond the disk if it is not running.
    pub fn crash(&self, name: &str, kind: CrashKind) {
        self.world.crash(name, kind);
    }

    /// The disk of node `n1`.
    pub fn disk(&self) -> SimDisk {
        self.disk_of(FIRST_NODE)
    }

    pub fn disk_of(&self, name: &str) -> SimDisk {
        let store = self.world.with_node(name, |_, node| Arc::clone(&node.store));
        SimDisk { store, world: Arc::downgrade(&self.world) }
    }

    pub fn net(&self) -> SimNet {
        SimNet { network: Arc::clone(&self.world.network) }
    }

    /// What happened, in order: `<virtual ms> <node> <what>`. At most 100,000 lines.
    pub fn trace(&self) -> Vec<String> {
        self.world.trace.lines()
    }

    /// Every file of every node as it is now, by `<node>:<path>`.
    pub fn disk_image(&self) -> BTreeMap<String, Vec<u8>> {
        let nodes = self.world.nodes.lock();
        let stores: Vec<_> = nodes.values().map(|node| Arc::clone(&node.store)).collect();
        drop(nodes);
        let named = |store: Arc<Store>| {
            let name = Arc::clone(&store.node);
            let image = store.image().into_iter();
            image.map(move |(path, bytes)| (format!("{name}:{}", path.display()), bytes))
        };
        stores.into_iter().flat_map(named).collect()
    }

    /// One number for the whole trace and all disks: equal for equal seeds.
    pub fn fingerprint(&self) -> u64 {
        let mut hash =
            fingerprint(FINGERPRINT_START, &self.world.trace.fingerprint().to_le_bytes());
        for (path, bytes) in self.disk_image() {
            hash = fingerprint(fingerprint(hash, path.as_bytes()), &bytes.len().to_le_bytes());
            hash = fingerprint(hash, &bytes);
        }
        hash
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("simulation failed with seed {}", self.seed);
        }
    }
}

impl World {
    fn with_node<R>(&self, name: &str, f: impl FnOnce(&World, &mut Node) -> R) -> R {
        let mut nodes = self.nodes.lock();
        let node = nodes.entry(name.to_owned()).or_insert_with(|| {
            let shared: Arc<str> = Arc::from(name);
            let rng = derived(self.seed, &format!("disk {name}"), 0);
            let store = Store::new(Arc::clone(&shared), rng, self.trace.clone());
            let id = self.network.node(name);
            Node { id, name: shared, store: Arc::new(store), starts: 0, running: None }
        });
        f(self, node)
    }

    fn node(&self, name: &str) -> Env {
        self.with_node(name, |world, node| match &node.running {
            Some(running) => running.env.clone(),
            None => world.start(node),
        })
    }

    fn net(&self, node: &Node, life: &Life) -> MemoryNet {
        let (network, name) = (Arc::clone(&self.network), Arc::clone(&node.name));
        MemoryNet { network, name, node: node.id, life: life.clone() }
    }

    fn start(&self, node: &mut Node) -> Env {
        node.starts += 1;
        let name = &node.name;
        let life = Life::default();
        let scope = TaskScope::root(name, Some(self.runtime.clone()));
        let blocking = SimBlocking {
            node: Arc::clone(name),
            rng: derived(self.seed, &format!("blocking {name}"), node.starts),
            trace: self.trace.clone(),
            scope: scope.child("blocking"),
        };
        let env = Env::simulated(Simulated {
            time: self.time.clone(),
            rng: derived(self.seed, &format!("node {name}"), node.starts),
            disk: MemoryDisk { store: Arc::clone(&node.store), life: life.clone() },
            net: self.net(node, &life),
            scope: scope.clone(),
            blocking,
        });
        self.trace.note(name, format_args!("start {}", node.starts));
        node.running = Some(Running { env: env.clone(), life, scope });
        env
    }

    pub(crate) fn crash(&self, name: &str, kind: CrashKind) {
        self.with_node(name, |world, node| {
            if let Some(running) = node.running.take() {
                running.life.end();
                running.scope.abort_all();
                world.network.crash(node.id);
            }
            node.store.crash(kind);
        });
        self.trace.note(name, format_args!("crash {kind:?}"));
    }

    fn running(&self) -> Vec<String> {
        let nodes = self.nodes.lock();
        let running = nodes.values().filter_map(|node| node.running.as_ref());
        running.flat_map(|running| running.scope.running()).collect()
    }
}

/// A source of its own for each purpose, so that one more draw here changes nothing there.
fn derived(seed: u64, purpose: &str, count: u64) -> Rng {
    let start = fingerprint(FINGERPRINT_START, purpose.as_bytes());
    let start = fingerprint(start, &count.to_le_bytes());
    Rng::seeded(Rng::seeded(fingerprint(start, &seed.to_le_bytes())).next_u64())
}

#[cfg(test)]
mod tests;
