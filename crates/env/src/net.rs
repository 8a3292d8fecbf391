//! `Net`: listening, connecting and names.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::real::{RealListener, RealNet};
use crate::stream::Stream;

/// The network as one node sees it. Cheap to clone.
#[derive(Clone)]
pub struct Net {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Real(Arc<RealNet>),
    #[cfg(feature = "sim")]
    Memory(crate::sim::MemoryNet),
}

/// Accepts connections until it is dropped.
pub struct Listener {
    kind: ListenerKind,
}

enum ListenerKind {
    Real(RealListener),
    #[cfg(feature = "sim")]
    Memory(crate::sim::MemoryListener),
}

impl Net {
    pub(crate) fn real(net: RealNet) -> Net {
        Net { kind: Kind::Real(Arc::new(net)) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn memory(net: crate::sim::MemoryNet) -> Net {
        Net { kind: Kind::Memory(net) }
    }

    /// Listens on an address; port 0 picks a free one. `backlog` connections may wait to be accepted. The IPv6 wildcard
    /// takes IPv4 connections too, as Java's does.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, ..., with the address in the text.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        let kind = match &self.kind {
            Kind::Real(net) => ListenerKind::Real(net.listen(address, backlog)?),
            #[cfg(feature = "sim")]
            Kind::Memory(net) => ListenerKind::Memory(net.listen(address, backlog)?),
        };
        Ok(Listener { kind })
    }

    /// Connects; the caller sets the deadline. Cancel safe.
    ///
    /// # Errors
    /// `ConnectionRefused`, `TimedOut`, ..., with the address in the text.
    pub fn connect(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Stream>> + Send + 'static {
        let kind = self.kind.clone();
        async move {
            match kind {
                Kind::Real(net) => net.connect(address).await,
                #[cfg(feature = "sim")]
                Kind::Memory(net) => net.connect(address).await,
            }
        }
    }

    /// The addresses of a host name or literal address, in the resolver's order; never empty.
    ///
    /// # Errors
    /// When the name is unknown, with the name in the text.
    pub fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static {
        let kind = self.kind.clone();
        let host = host.to_owned();
        async move {
            match kind {
                Kind::Real(net) => net.resolve(host, port).await,
                #[cfg(feature = "sim")]
                Kind::Memory(net) => net.resolve(&host, port),
            }
        }
    }

    /// The name of this machine.
    pub fn hostname(&self) -> String {
        match &self.kind {
            Kind::Real(net) => net.hostname(),
            #[cfg(feature = "sim")]
            Kind::Memory(net) => net.name.to_string(),
        }
    }
}

impl Listener {
    /// The next connection and its peer. Cancel safe.
    ///
    /// # Errors
    /// Errors are about one connection or pass (as for want of descriptors): go on after a pause.
    pub async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match &self.kind {
            ListenerKind::Real(listener) => listener.accept().await,
            #[cfg(feature = "sim")]
            ListenerKind::Memory(listener) => listener.accept().await,
        }
    }

    /// Where it listens, with the port that was picked.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.kind {
            ListenerKind::Real(listener) => listener.local_addr(),
            #[cfg(feature = "sim")]
            ListenerKind::Memory(listener) => Ok(listener.local_addr()),
        }
    }
}

/// Gives the error the address, keeping its kind.
pub(crate) fn at_address(verb: &str, address: impl std::fmt::Display, e: io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("cannot {verb} {address}: {e}"))
}

const _: fn() = || {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<(Net, Listener, Stream, crate::Env, crate::File, crate::DirLock)>();
};
