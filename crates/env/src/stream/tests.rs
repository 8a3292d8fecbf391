//! Tests of connections over TCP and within the process.

use std::future::Future;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::*;
use crate::{Env, OpenMode, RealOptions};

async fn tcp_pair(env: &Env) -> (Stream, Stream) {
    let listener = env.net().listen("127.0.0.1:0".parse().unwrap(), 8).unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(env.net().connect(address), listener.accept());
    let (server, peer) = server.unwrap();
    assert_eq!(server.peer_addr().unwrap(), peer);
    (client.unwrap(), server)
}

async fn pairs() -> (Env, [(Stream, Stream); 2]) {
    let env = Env::real(RealOptions::default());
    let tcp = tcp_pair(&env).await;
    (env, [tcp, Stream::pair(1024)])
}

async fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
}

#[tokio::test]
async fn bytes_and_the_end_arrive_in_order() {
    let (_env, pairs) = pairs().await;
    for (mut client, mut server) in pairs {
        let sent: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let copy = sent.clone();
        let sending = async move {
            client.write_all(&copy).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer
        };
        let receiving = async move {
            let mut received = Vec::new();
            server.read_to_end(&mut received).await.unwrap();
            server.write_all(b"thanks").await.unwrap();
            received
        };
        let (answer, received) = tokio::join!(sending, receiving);
        assert_eq!(received, sent);
        assert_eq!(answer, b"thanks");
    }
}

#[tokio::test]
async fn files_are_sent_whole_and_a_short_file_is_an_error() {
    let (env, pairs) = pairs().await;
    let dir = tempfile::tempdir().unwrap();
    let file = env.disk().open(&dir.path().join("0.log"), OpenMode::Create).unwrap();
    let content: Vec<u8> = (0..3_000_000u32).map(|i| (i / 7) as u8).collect();
    file.write_all_at(&content, 0).unwrap();
    for (mut client, mut server) in pairs {
        let sending = async {
            server.send_file(&file, 10, 2_999_000).await.unwrap();
            server.send_file(&file, 0, 0).await.unwrap();
            let error = server.send_file(&file, 2_999_999, 2).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{error}");
            assert!(error.to_string().contains("0.log"), "{error}");
            drop(server);
        };
        let receiving = async {
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.unwrap();
            received
        };
        let (received, ()) = tokio::join!(receiving, sending);
        assert_eq!(received[..2_999_000], content[10..2_999_010]);
    }
}

#[tokio::test]
async fn a_closed_peer_is_noticed_behind_unread_bytes_which_stay_readable() {
    let (_env, pairs) = pairs().await;
    for (mut client, mut server) in pairs {
        {
            let mut closed = Box::pin(server.wait_closed());
            assert!(is_pending(&mut closed).await);
            client.write_all(b"pipelined").await.unwrap();
            let early = tokio::time::timeout(Duration::from_millis(20), &mut closed).await;
            assert!(early.is_err(), "bytes are not the end");
        }
        // Reading goes on, in several steps, as if nobody had waited.
        let mut first = [0; 4];
        server.read_exact(&mut first).await.unwrap();
        {
            let mut closed = Box::pin(server.wait_closed());
            is_pending(&mut closed).await;
            client.write_all(b", more").await.unwrap();
            is_pending(&mut closed).await;
            drop(client);
            closed.await;
        }
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert_eq!((&first, &rest[..]), (b"pipe", &b"lined, more"[..]));
        server.wait_closed().await;
    }
}

#[tokio::test]
async fn a_full_buffer_makes_the_writer_wait() {
    let (mut a, mut b) = Stream::pair(4);
    let mut writing = Box::pin(a.write_all(b"123456"));
    assert!(is_pending(&mut writing).await);
    let mut buffer = [0; 6];
    let (read, written) = tokio::join!(b.read_exact(&mut buffer), writing);
    read.unwrap();
    written.unwrap();
    assert_eq!(&buffer, b"123456");
}

#[tokio::test]
async fn a_gone_reader_breaks_the_pipe() {
    let (mut a, b) = Stream::pair(4);
    drop(b);
    assert_eq!(a.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(a.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn errors_name_the_address_and_names_resolve() {
    let env = Env::real(RealOptions::default());
    let listener = env.net().listen("127.0.0.1:0".parse().unwrap(), 8).unwrap();
    let address = listener.local_addr().unwrap();
    let Err(error) = env.net().listen(address, 8) else { panic!("listened twice") };
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    drop(listener);
    let Err(error) = env.net().connect(address).await else { panic!("nobody listens") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let found = env.net().resolve("127.0.0.1", 9092).await.unwrap();
    assert_eq!(found, ["127.0.0.1:9092".parse().unwrap()]);
    assert!(!env.net().hostname().is_empty());
}

#[tokio::test]
async fn options_are_taken() {
    let (_env, pairs) = pairs().await;
    for (stream, _peer) in pairs {
        stream.set_nodelay().unwrap();
        stream.set_keepalive().unwrap();
        stream.set_send_buffer_bytes(102_400).unwrap();
        stream.set_receive_buffer_bytes(102_400).unwrap();
    }
}
