//! The built binary from the outside: help, exit codes, a start and a clean stop.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod log_dump;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use expect_test::{Expect, expect, expect_file};

fn klamm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klamm"));
    command.args(arguments).env_remove("COLUMNS").env_remove("KLAMM_LOG");
    command
}

fn output(arguments: &[&str]) -> Output {
    klamm(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_is_as_agreed() {
    expect_file!["../../testdata/help.txt"].assert_eq(&text(&output(&["--help"]).stdout));
    let server = output(&["server", "--help"]);
    assert_eq!(server.status.code(), Some(0));
    expect_file!["../../testdata/help_server.txt"].assert_eq(&text(&server.stdout));
}

fn wrong(arguments: &[&str], expected: Expect) {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(text(&output.stdout), "");
    expected.assert_eq(&text(&output.stderr));
}

#[test]
fn a_wrong_value_says_which_key_which_value_and_what_is_allowed() {
    wrong(
        &["server", "--set", "num.partitions=0"],
        expect![[r#"
            klamm: Invalid value 0 for configuration num.partitions: Value must be at least 1
        "#]],
    );
    wrong(
        &["server", "--set", "num.partitions=many", "--set", "compression.type=rar"],
        expect![[r#"
            klamm: Invalid value rar for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer
            klamm: Invalid value many for configuration num.partitions: Not a number of type INT (allowed: [1,...])
        "#]],
    );
    wrong(
        &["server", "--listen", "nowhere"],
        expect![[r#"
            klamm: Invalid value nowhere for configuration --listen: the form is HOST:PORT, like 127.0.0.1:9092
        "#]],
    );
    let missing = output(&["server", "--config", "/nowhere/server.properties"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("/nowhere/server.properties"));
    let malformed = output(&["server", "--set", "num.partitions"]);
    assert_eq!(malformed.status.code(), Some(2));
}

/// A node on free ports with its data in a directory of its own, killed if the test fails.
struct Node {
    child: Child,
    ready: String,
    _data: tempfile::TempDir,
}

fn started() -> Node {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().join("data").display().to_string();
    let mut child = klamm(&["server", "--data", &dir])
        .args(["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    Node { child, ready, _data: data }
}

impl Node {
    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn stopped(&mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code(), log)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_waited_for = self.child.wait();
    }
}

#[test]
fn it_says_when_it_is_ready_and_stops_cleanly_on_sigterm_and_sigint() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut node = started();
        let port: u16 = node
            .ready
            .trim_end()
            .strip_prefix("klamm ready on 127.0.0.1:")
            .unwrap_or_else(|| panic!("{:?}", node.ready))
            .parse()
            .unwrap();
        assert_ne!(port, 0);
        node.signal(signal);
        let (code, log) = node.stopped();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("survives kill -9"), "{log}");
        assert!(!log.contains("WARN"), "{log}");
    }
}
