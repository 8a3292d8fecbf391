//! `RealNet` and `RealListener`: TCP of the operating system.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};

use super::fd_cache::FdCache;
use super::offload::OffloadPool;
use super::tcp;
use crate::net::at_address;
use crate::stream::Stream;

pub(crate) struct RealNet {
    cache: Arc<FdCache>,
    offload: OffloadPool,
}

pub(crate) struct RealListener {
    #[expect(clippy::disallowed_types, reason = "this is the network that the bans point to")]
    listener: tokio::net::TcpListener,
    cache: Arc<FdCache>,
}

#[expect(clippy::disallowed_types, reason = "this is the network that the bans point to")]
impl RealNet {
    /// The cache gives descriptors back when accepting finds none left; the pool runs the resolver.
    pub(crate) fn new(cache: Arc<FdCache>, offload: OffloadPool) -> RealNet {
        RealNet { cache, offload }
    }

    pub(crate) fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<RealListener> {
        let bound = bind(address, backlog).and_then(|socket| {
            socket.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(socket.into())
        });
        let listener = bound.map_err(|e| at_address("listen on", address, e))?;
        Ok(RealListener { listener, cache: Arc::clone(&self.cache) })
    }

    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        let stream = loop {
            match tokio::net::TcpStream::connect(address).await {
                Err(error) if out_of_descriptors(&error) && self.cache.evict_one() => {}
                result => break result.map_err(|e| at_address("connect to", address, e))?,
            }
        };
        Ok(Stream::tcp(tcp::split(stream)))
    }

    pub(crate) async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        let name = host.clone();
        let found = self.offload.run("resolve", move || {
            (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>)
        });
        match found.await {
            Ok(addresses) if addresses.is_empty() => {
                let cause = io::Error::new(io::ErrorKind::NotFound, "it has no address");
                Err(at_address("resolve", host, cause))
            }
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(at_address("resolve", host, error)),
        }
    }

    pub(crate) fn hostname(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
}

fn bind(address: SocketAddr, backlog: u32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(backlog.min(i32::MAX as u32) as i32)?;
    Ok(socket)
}

impl RealListener {
    pub(crate) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return Ok((Stream::tcp(tcp::split(stream)), peer)),
                // The peer went away while it waited.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if out_of_descriptors(&error) && self.cache.evict_one() => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
