//! Tests of task scopes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn a_handle_gives_the_result() {
    let scope = TaskScope::root("node", None);
    assert_eq!(scope.spawn("sum", async { 1 + 1 }).await, Ok(2));
    scope.join().await;
    assert!(scope.running().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn join_waits_for_children_and_cancel_reaches_them() {
    let scope = TaskScope::root("node", None);
    let ended = Arc::new(AtomicUsize::new(0));
    let child = scope.child("network");
    for _ in 0..50 {
        let (child2, ended) = (child.clone(), Arc::clone(&ended));
        child.spawn("connection", async move {
            child2.cancelled().await;
            ended.fetch_add(1, Ordering::SeqCst);
        });
    }
    assert_eq!(scope.running().len(), 50);
    assert_eq!(scope.running()[0], "node/network/connection");
    scope.cancel();
    scope.join().await;
    assert!(child.is_cancelled());
    assert_eq!(ended.load(Ordering::SeqCst), 50);
}

#[tokio::test]
async fn abort_stops_tasks_below_and_refuses_new_ones() {
    let scope = TaskScope::root("node", None);
    let child = scope.child("group");
    let waiting = child.spawn("wait", std::future::pending::<()>());
    scope.abort_all();
    assert_eq!(waiting.await, Err(TaskError::Aborted { name: "wait" }));
    let late = child.spawn("late", async {});
    assert_eq!(late.await, Err(TaskError::Aborted { name: "late" }));
    let later = scope.child("new").spawn("later", async {});
    assert_eq!(later.await, Err(TaskError::Aborted { name: "later" }));
    scope.join().await;
}

#[tokio::test]
async fn a_dropped_child_leaves_nothing_behind() {
    let scope = TaskScope::root("node", None);
    for _ in 0..10 {
        let child = scope.child("connection");
        let task = child.spawn("work", async {});
        drop(child);
        task.await.unwrap();
    }
    scope.join().await;
    assert!(scope.inner.state.lock().children.is_empty());
}

#[tokio::test]
async fn a_panic_is_an_error_of_the_handle_and_join_still_returns() {
    let scope = TaskScope::root("node", None);
    let task = scope.spawn("bad", async { panic!("on purpose") });
    assert_eq!(task.await, Err::<(), _>(TaskError::Panicked { name: "bad" }));
    scope.join().await;
}
