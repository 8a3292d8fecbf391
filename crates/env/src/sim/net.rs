//! The in-memory network between simulated nodes: addresses, listeners, latency, cuts and resets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::life::Life;
use super::trace::Trace;
use crate::memory::{self, Pipe, Weather};
use crate::net::at_address;
use crate::rng::Rng;
use crate::stream::Stream;

/// Nodes are numbered in order of their first start; number `n` has the address `10.0.(n / 256).(n % 256)`.
pub(crate) type NodeId = u16;

const BUFFER_BYTES: usize = 64 * 1024;
const LATENCY_MS_MAX: u64 = 3;
/// When a connection attempt that nobody answers fails: Linux's default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);
/// How soon an attempt that met a full backlog, or a cut, is made again.
const CONNECT_RETRY: Duration = Duration::from_secs(1);
/// One piece in so many is cut short, so that readers see odd boundaries.
const SPLIT_ONE_IN: u64 = 4;
const FIRST_FREE_PORT: u16 = 49_152;

/// Shared by all nodes.
pub(crate) struct Network {
    rng: Rng,
    trace: Trace,
    latency_ms_max: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: BTreeMap<String, NodeId>,
    listening: BTreeMap<u64, Listening>,
    next_listener: u64,
    next_port: BTreeMap<NodeId, u16>,
    /// Directions in which nothing arrives.
    cuts: BTreeSet<(NodeId, NodeId)>,
    connections: Vec<Connection>,
}

struct Listening {
    node: NodeId,
    address: SocketAddr,
    backlog: usize,
    waiting: VecDeque<(Stream, SocketAddr)>,
    arrived: Arc<Notify>,
}

struct Connection {
    nodes: (NodeId, NodeId),
    forth: Weak<Pipe>,
    back: Weak<Pipe>,
}

/// The network as one start of a node sees it.
#[derive(Clone)]
pub(crate) struct MemoryNet {
    pub(crate) network: Arc<Network>,
    pub(crate) name: Arc<str>,
    pub(crate) node: NodeId,
    pub(crate) life: Life,
}

pub(crate) struct MemoryListener {
    net: MemoryNet,
    id: u64,
    address: SocketAddr,
    arrived: Arc<Notify>,
}

impl Network {
    pub(crate) fn new(rng: Rng, trace: Trace) -> Network {
        let latency_ms_max = Arc::new(AtomicU64::new(LATENCY_MS_MAX));
        Network { rng, trace, latency_ms_max, state: Mutex::default() }
    }

    /// The number of a node, new or known.
    pub(crate) fn node(&self, name: &str) -> NodeId {
        let nodes = &mut self.state.lock().nodes;
        let next = NodeId::try_from(nodes.len() + 1).expect("fewer nodes than addresses");
        *nodes.entry(name.to_owned()).or_insert(next)
    }

    /// Ends everything that the node has on the network; peers see a reset, those behind a cut once it has healed.
    pub(crate) fn crash(&self, node: NodeId) {
        self.reset(|connection| connection.touches(node));
        let mut state = self.state.lock();
        let ids: Vec<_> =
            state.listening.iter().filter(|(_, l)| l.node == node).map(|(id, _)| *id).collect();
        let listening: Vec<_> = ids.iter().filter_map(|id| state.listening.remove(id)).collect();
        drop(state);
        listening.iter().for_each(|listening| listening.arrived.notify_waiters());
    }

    fn reset(&self, concerned: impl Fn(&Connection) -> bool) {
        let pipes: Vec<_> = {
            let state = self.state.lock();
            let connections = state.connections.iter().filter(|c| concerned(c));
            connections.flat_map(Connection::pipes).filter_map(|(_, pipe)| pipe.upgrade()).collect()
        };
        pipes.iter().for_each(|pipe| pipe.reset());
    }

    fn latency(&self) -> Duration {
        latency(&self.rng, &self.latency_ms_max)
    }

    fn pipe(&self) -> Arc<Pipe> {
        let (rng, max) = (self.rng.clone(), Arc::clone(&self.latency_ms_max));
        let weather: Weather = Box::new(move |offered| {
            let split = offered > 1 && rng.below(SPLIT_ONE_IN) == 0;
            let taken = if split { 1 + rng.below(offered as u64 - 1) as usize } else { offered };
            (taken, latency(&rng, &max))
        });
        Arc::new(Pipe::new(BUFFER_BYTES, Some(weather)))
    }
}

fn latency(rng: &Rng, max: &AtomicU64) -> Duration {
    Duration::from_millis(rng.below(max.load(Ordering::Relaxed) + 1))
}

impl Connection {
    fn touches(&self, node: NodeId) -> bool {
        self.nodes.0 == node || self.nodes.1 == node
    }

    /// Both pipes with their directions.
    fn pipes(&self) -> [((NodeId, NodeId), &Weak<Pipe>); 2] {
        let (a, b) = self.nodes;
        [((a, b), &self.forth), ((b, a), &self.back)]
    }
}

impl State {
    fn is_cut(&self, a: NodeId, b: NodeId) -> bool {
        self.cuts.contains(&(a, b)) || self.cuts.contains(&(b, a))
    }

    fn free_port(&mut self, node: NodeId) -> u16 {
        loop {
            let next = self.next_port.entry(node).or_insert(FIRST_FREE_PORT);
            let port = *next;
            *next = next.checked_add(1).unwrap_or(FIRST_FREE_PORT);
            if !self.listening.values().any(|l| l.node == node && l.address.port() == port) {
                return port;
            }
        }
    }

    fn listener(&mut self, node: NodeId, address: SocketAddr) -> Option<&mut Listening> {
        self.listening.values_mut().find(|listening| {
            let ip = listening.address.ip();
            listening.node == node
                && listening.address.port() == address.port()
                && (ip.is_unspecified() || ip == address.ip())
        })
    }
}

fn ip_of(node: NodeId) -> IpAddr {
    let [high, low] = node.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

impl MemoryNet {
    pub(crate) fn ip(&self) -> IpAddr {
        ip_of(self.node)
    }

    pub(crate) fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<MemoryListener> {
        let wrap = |e| at_address("listen on", address, e);
        self.life.check().map_err(wrap)?;
        let ip = address.ip();
        if !ip.is_unspecified() && !ip.is_loopback() && ip != self.ip() {
            return Err(wrap(io::ErrorKind::AddrNotAvailable.into()));
        }
        let mut state = self.network.state.lock();
        let port = match address.port() {
            0 => state.free_port(self.node),
            port => port,
        };
        let taken = state.listening.values().any(|other| {
            let there = other.address.ip();
            let overlap = there == ip || there.is_unspecified() || ip.is_unspecified();
            other.node == self.node && other.address.port() == port && overlap
        });
        if taken {
            return Err(wrap(io::ErrorKind::AddrInUse.into()));
        }
        let address = SocketAddr::new(ip, port);
        let arrived = Arc::new(Notify::new());
        state.next_listener += 1;
        let id = state.next_listener;
        let backlog = backlog.max(1) as usize;
        let (node, waiting) = (self.node, VecDeque::new());
        let listening = Listening { node, address, backlog, waiting, arrived: arrived.clone() };
        state.listening.insert(id, listening);
        drop(state);
        self.network.trace.note(&self.name, format_args!("listen {address}"));
        Ok(MemoryListener { net: self.clone(), id, address, arrived })
    }

    pub(crate) async fn connect(self, address: SocketAddr) -> io::Result<Stream> {
        let result = self.try_connect(address).await;
        let outcome = if result.is_ok() { "" } else { " failed" };
        self.network.trace.note(&self.name, format_args!("connect {address}{outcome}"));
        result.map_err(|e| at_address("connect to", address, e))
    }

    async fn try_connect(&self, address: SocketAddr) -> io::Result<Stream> {
        let deadline = Instant::now() + CONNECT_TIMEOUT;
        loop {
            pause(self.network.latency()).await;
            self.life.check()?;
            if let Some(stream) = self.knock(address)? {
                pause(self.network.latency()).await;
                return Ok(stream);
            }
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            pause(CONNECT_RETRY).await;
        }
    }

    /// One attempt; `None` when nobody answers, as behind a cut or before a full backlog.
    fn knock(&self, address: SocketAddr) -> io::Result<Option<Stream>> {
        let mut state = self.network.state.lock();
        let loopback = address.ip().is_loopback();
        let known = |ip| state.nodes.values().find(|node| ip_of(**node) == ip).copied();
        let target = if loopback { Some(self.node) } else { known(address.ip()) };
        let Some(target) = target else { return Err(io::ErrorKind::HostUnreachable.into()) };
        if state.is_cut(self.node, target) {
            return Ok(None);
        }
        let local_ip = if loopback { address.ip() } else { self.ip() };
        let local = SocketAddr::new(local_ip, state.free_port(self.node));
        let Some(listening) = state.listener(target, address) else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        if listening.waiting.len() >= listening.backlog {
            return Ok(None);
        }
        let (forth, back) = (self.network.pipe(), self.network.pipe());
        let connection = Connection {
            nodes: (self.node, target),
            forth: Arc::downgrade(&forth),
            back: Arc::downgrade(&back),
        };
        let [client, server] = memory::join((local, address), (forth, back));
        listening.waiting.push_back((Stream::memory(server), local));
        listening.arrived.notify_waiters();
        state.connections.retain(|c| c.forth.strong_count() + c.back.strong_count() > 0);
        state.connections.push(connection);
        Ok(Some(Stream::memory(client)))
    }

    pub(crate) fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let ip = match host.parse() {
            Ok(ip) => Some(ip),
            Err(_) if host == "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Err(_) => self.network.state.lock().nodes.get(host).map(|node| ip_of(*node)),
        };
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no node has this name");
        let ip = ip.ok_or_else(|| at_address("resolve", host, unknown()))?;
        Ok(vec![SocketAddr::new(ip, port)])
    }
}

async fn pause(duration: Duration) {
    tokio::time::sleep_until(Instant::now() + duration).await;
}

impl MemoryListener {
    pub(crate) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            self.net.life.check()?;
            let waiting = {
                let mut state = self.net.network.state.lock();
                state.listening.get_mut(&self.id).and_then(|l| l.waiting.pop_front())
            };
            match waiting {
                Some((stream, peer)) => {
                    self.net.network.trace.note(&self.net.name, format_args!("accept {peer}"));
                    return Ok((stream, peer));
                }
                None => arrived.await,
            }
        }
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        // What waits is dropped outside the lock.
        let listening = self.net.network.state.lock().listening.remove(&self.id);
        drop(listening);
    }
}

/// The network, for tests. Made by [`crate::sim::Sim::net`].
#[derive(Clone)]
pub struct SimNet {
    pub(crate) network: Arc<Network>,
}

impl SimNet {
    /// Lets nothing pass between two nodes, in either direction, until [`SimNet::heal`]. Bytes under way arrive then.
    pub fn partition(&self, a: &str, b: &str) {
        self.cut(a, b);
        self.cut(b, a);
    }

    /// Lets nothing arrive that one node sends to another. Neither can connect to the other meanwhile.
    pub fn cut(&self, from: &str, to: &str) {
        let direction = (self.network.node(from), self.network.node(to));
        self.network.state.lock().cuts.insert(direction);
        self.for_each_pipe(|way, pipe| {
            if way == direction {
                pipe.cut();
            }
        });
        self.network.trace.note(from, format_args!("cut off from {to}"));
    }

    /// Ends all cuts between two nodes.
    pub fn heal(&self, a: &str, b: &str) {
        let nodes = (self.network.node(a), self.network.node(b));
        let ways = [nodes, (nodes.1, nodes.0)];
        self.network.state.lock().cuts.retain(|way| !ways.contains(way));
        self.for_each_pipe(|way, pipe| {
            if ways.contains(&way) {
                pipe.heal();
            }
        });
        self.network.trace.note(a, format_args!("healed with {b}"));
    }

    /// Breaks all connections between two nodes; new ones are possible at once.
    pub fn reset(&self, a: &str, b: &str) {
        let (a, b) = (self.network.node(a), self.network.node(b));
        self.network.reset(|c| c.nodes == (a, b) || c.nodes == (b, a));
    }

    /// Bytes are under way for 0 to so many milliseconds, as the seed decides; 3 at first.
    pub fn set_latency_ms_max(&self, max: u64) {
        self.network.latency_ms_max.store(max, Ordering::Relaxed);
    }

    fn for_each_pipe(&self, f: impl Fn((NodeId, NodeId), &Pipe)) {
        let pipes: Vec<_> = {
            let state = self.network.state.lock();
            let all = state.connections.iter().flat_map(Connection::pipes);
            all.filter_map(|(way, pipe)| Some((way, pipe.upgrade()?))).collect()
        };
        pipes.iter().for_each(|(way, pipe)| f(*way, pipe));
    }
}

#[cfg(test)]
mod tests;
