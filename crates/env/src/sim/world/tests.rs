//! Tests of the whole: the same seed gives the same run.

use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::OpenMode;

/// A node that stores what clients send, three clients, a power cut in the middle and a second start.
fn scenario(seed: u64) -> (Sim, Vec<String>) {
    let sim = Sim::new(seed);
    let mut answers = Vec::new();
    for round in 0..2u64 {
        let server = sim.node("server");
        sim.run(|_| async {
            start_server(&server);
            let clients = (0..3).map(|i| {
                let env = sim.node(&format!("client-{i}"));
                let address = SocketAddr::new(sim.address("server"), 9092);
                let name = format!("{round}/{i}");
                env.scope("client").spawn("send", send(env.clone(), address, name))
            });
            let clients: Vec<_> = clients.collect();
            for client in clients {
                answers.push(client.await.unwrap());
            }
            let kind = if round == 0 { CrashKind::PowerLoss } else { CrashKind::Process };
            sim.crash("server", kind);
        });
    }
    (sim, answers)
}

fn start_server(env: &Env) {
    let scope = env.scope("server");
    let (env, inner) = (env.clone(), scope.clone());
    scope.spawn("accept", async move {
        let listener = env.net().listen("0.0.0.0:9092".parse().unwrap(), 8).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            inner.spawn("serve", serve(env.clone(), stream));
        }
    });
}

async fn serve(env: Env, mut stream: crate::Stream) {
    let mut request = String::new();
    if stream.read_to_string(&mut request).await.is_err() {
        return;
    }
    let path = format!("/{}", request.replace('/', "-"));
    let file = env.disk().open(Path::new(&path), OpenMode::Create).unwrap();
    for i in 0..20 {
        file.write_all_at(request.as_bytes(), i * 8).unwrap();
        if env.rng().below(2) == 0 {
            env.sync(&file).await.unwrap();
        }
    }
    let root = env.disk().clone();
    env.offload("sync names", move || root.sync_dir(Path::new("/"))).await.unwrap();
    let answer = format!("{path} at {}", env.clock().now_ms());
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn send(env: Env, address: SocketAddr, name: String) -> String {
    env.clock().sleep(Duration::from_millis(env.rng().below(20))).await;
    let mut stream = env.net().connect(address).await.unwrap();
    stream.write_all(name.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..5 {
        let (first, answers) = scenario(seed);
        let (second, answers_again) = scenario(seed);
        assert_eq!(answers, answers_again);
        assert_eq!(first.trace(), second.trace());
        assert_eq!(first.disk_image(), second.disk_image());
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert!(first.disk_image().len() >= 3, "the second round stays in the page cache");
    }
    assert_ne!(scenario(1).0.fingerprint(), scenario(2).0.fingerprint());
}

#[test]
fn time_is_virtual_and_goes_on_between_runs_and_outside_them() {
    let sim = Sim::new(1);
    let start = sim.env().clock().now_ms();
    assert_eq!(start, 1_767_225_600_000);
    for _ in 0..2 {
        sim.run(|env| async move { env.clock().sleep(Duration::from_secs(600)).await });
    }
    assert_eq!(sim.env().clock().now_ms(), start + 1_200_000);
}

#[test]
fn a_crash_ends_tasks_and_what_they_queued() {
    let sim = Sim::new(2);
    let env = sim.env();
    sim.run(|_| async {
        let (done, inner) = (env.scope("work"), env.clone());
        let task = done.spawn("write later", async move {
            let disk = inner.disk().clone();
            let path = Path::new("/late");
            inner.offload("write", move || disk.open(path, OpenMode::Create).unwrap()).await;
        });
        env.clock().sleep(Duration::ZERO).await;
        sim.disk().crash(CrashKind::Process);
        assert!(task.await.is_err());
        done.join().await;
        let started = sim.env();
        assert!(!started.disk().exists(Path::new("/late")).unwrap());
        assert_eq!(started.scope("x").spawn("y", async { 1 }).await, Ok(1));
    });
}

#[test]
fn a_sync_covers_what_was_written_before_the_call() {
    let sim = Sim::new(3);
    sim.run(|env| async move {
        let file = env.disk().open(Path::new("/f"), OpenMode::Create).unwrap();
        env.disk().sync_dir(Path::new("/")).unwrap();
        file.write_all_at(b"before", 0).unwrap();
        let sync = env.sync(&file);
        file.write_all_at(b"after", 6).unwrap();
        sync.await.unwrap();
    });
    sim.disk().crash(CrashKind::DropUnsynced);
    assert_eq!(sim.env().disk().read(Path::new("/f"), 99).unwrap(), b"before");
}

#[test]
#[should_panic(expected = "stuck after 3600s of virtual time; running: [\"n1/a/wait\"]")]
fn a_run_that_waits_for_ever_says_so() {
    Sim::new(4).run(|env| async move {
        env.scope("a").spawn("wait", std::future::pending::<()>());
        std::future::pending::<()>().await;
    });
}

#[test]
#[should_panic(expected = "unhandled panic")]
fn a_panic_in_any_task_fails_the_run() {
    Sim::new(5).run(|env| async move {
        env.scope("a").spawn("bad", async { panic!("on purpose") });
        env.clock().sleep(Duration::from_secs(1)).await;
    });
}
