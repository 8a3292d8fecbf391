//! Tests of the in-memory network.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::sim::{CrashKind, Sim};
use crate::{Env, Listener};

const PORT: u16 = 9092;

fn listen(env: &Env) -> Listener {
    env.net().listen(SocketAddr::from(([0, 0, 0, 0], PORT)), 16).unwrap()
}

/// A connection from the first environment to node `b`, and its two ends.
async fn connected(a: &Env, listener: &Listener) -> (Stream, Stream) {
    let address = a.net().resolve("b", PORT).await.unwrap()[0];
    let (client, server) = tokio::join!(a.net().connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

#[test]
fn nodes_talk_and_long_streams_arrive_whole() {
    let sim = Sim::new(1);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, mut server) = connected(&a, &listener).await;
        assert_eq!(server.peer_addr().unwrap().ip(), sim.address("a"));
        assert_eq!(client.peer_addr().unwrap().ip(), sim.address("b"));
        let sent: Vec<u8> = (0..500_000u32).map(|i| (i % 251) as u8).collect();
        let mut received = Vec::new();
        let sending = async {
            client.write_all(&sent).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let (read, ()) = tokio::join!(server.read_to_end(&mut received), sending);
        read.unwrap();
        assert!(received == sent);
        server.write_all(b"ok").await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "ok");
        assert!(a.clock().now_ms() > 1_767_225_600_000, "it took time");
    });
}

#[test]
fn addresses_mean_what_they_do_on_a_machine() {
    let sim = Sim::new(2);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let loopback = SocketAddr::from(([127, 0, 0, 1], PORT));
        let listener = b.net().listen(loopback, 4).unwrap();
        let in_use = b.net().listen(SocketAddr::from(([0, 0, 0, 0], PORT)), 4).err().unwrap();
        assert_eq!(in_use.kind(), io::ErrorKind::AddrInUse);
        // Loopback is another machine's own; its public address is not served.
        let public = SocketAddr::new(sim.address("b"), PORT);
        for (env, address) in [(&a, loopback), (&a, public), (&b, public)] {
            let refused = env.net().connect(address).await.err().unwrap();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{refused}");
        }
        let (client, accepted) = tokio::join!(b.net().connect(loopback), listener.accept());
        assert_eq!(client.unwrap().local_addr().unwrap(), accepted.unwrap().1);
        let foreign = b.net().listen(SocketAddr::new(sim.address("a"), 0), 4).err().unwrap();
        assert_eq!(foreign.kind(), io::ErrorKind::AddrNotAvailable);
        let nowhere = b.net().connect("10.9.9.9:1".parse().unwrap()).await.err().unwrap();
        assert_eq!(nowhere.kind(), io::ErrorKind::HostUnreachable);
        assert!(a.net().resolve("c", 1).await.is_err());
        let picked = |_| b.net().listen(SocketAddr::from(([0, 0, 0, 0], 0)), 4).unwrap();
        let listeners: Vec<_> = (0..2).map(picked).collect();
        assert_ne!(listeners[0].local_addr().unwrap(), listeners[1].local_addr().unwrap());
        drop(listener);
        let _again = b.net().listen(loopback, 4).unwrap();
    });
}

#[test]
fn a_partition_holds_bytes_back_until_it_heals() {
    let sim = Sim::new(3);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, mut server) = connected(&a, &listener).await;
        sim.net().partition("a", "b");
        client.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 5];
        let minute = Duration::from_secs(60);
        assert!(b.clock().timeout(minute, server.read_exact(&mut buffer)).await.is_err());
        let address = server.local_addr().unwrap();
        let timed_out = a.net().connect(address).await.err().unwrap();
        assert_eq!(timed_out.kind(), io::ErrorKind::TimedOut);
        sim.net().heal("b", "a");
        server.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"hello");
    });
}

#[test]
fn a_cut_has_one_direction() {
    let sim = Sim::new(4);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, mut server) = connected(&a, &listener).await;
        sim.net().cut("a", "b");
        client.write_all(b"x").await.unwrap();
        server.write_all(b"y").await.unwrap();
        let mut byte = [0];
        client.read_exact(&mut byte).await.unwrap();
        let second = Duration::from_secs(1);
        assert!(b.clock().timeout(second, server.read_exact(&mut byte)).await.is_err());
    });
}

#[test]
fn a_reset_and_a_crash_break_connections() {
    let sim = Sim::new(5);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, mut server) = connected(&a, &listener).await;
        sim.net().reset("b", "a");
        for stream in [&mut client, &mut server] {
            let error = stream.read(&mut [0; 1]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            let error = stream.write_all(b"x").await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        let (mut client, _server) = connected(&a, &listener).await;
        let address = listener.local_addr().unwrap();
        sim.crash("b", CrashKind::Process);
        client.wait_closed().await;
        let error = client.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(listener.accept().await.is_err());
        let new = sim.node("b");
        let _listener = new.net().listen(address, 4).unwrap();
        // The old start's listener must not take the new one's place with it.
        drop(listener);
        let (client, _server) = connected(&a, &_listener).await;
        drop(client);
    });
}

#[test]
fn a_full_backlog_makes_others_wait() {
    let sim = Sim::new(6);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = b.net().listen(SocketAddr::from(([0, 0, 0, 0], PORT)), 1).unwrap();
        let address = SocketAddr::new(sim.address("b"), PORT);
        let _first = a.net().connect(address).await.unwrap();
        let second = Duration::from_secs(30);
        assert!(a.clock().timeout(second, a.net().connect(address)).await.is_err());
        listener.accept().await.unwrap();
        let _third = a.net().connect(address).await.unwrap();
    });
}

#[test]
fn files_are_sent_through_memory_too() {
    let sim = Sim::new(7);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, mut server) = connected(&a, &listener).await;
        let path = std::path::Path::new("/f");
        let file = b.disk().open(path, crate::OpenMode::Create).unwrap();
        let bytes: Vec<u8> = (0..200_000u32).map(|i| i as u8).collect();
        file.write_all_at(&bytes, 0).unwrap();
        let mut received = vec![0; 199_000];
        let receiving = client.read_exact(&mut received);
        let (sent, read) = tokio::join!(server.send_file(&file, 500, 199_000), receiving);
        sent.unwrap();
        read.unwrap();
        assert!(received == bytes[500..199_500]);
    });
}

#[test]
fn a_crash_behind_a_cut_is_noticed_once_it_heals() {
    let sim = Sim::new(8);
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.run(|_| async {
        let listener = listen(&b);
        let (mut client, _server) = connected(&a, &listener).await;
        sim.net().partition("a", "b");
        sim.crash("b", CrashKind::PowerLoss);
        let minute = Duration::from_secs(60);
        assert!(a.clock().timeout(minute, client.read(&mut [0; 1])).await.is_err());
        sim.net().heal("a", "b");
        let error = client.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}
