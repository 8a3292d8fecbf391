//! `TaskScope`: every task has an owner, a name and a shutdown.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Owns tasks and child scopes. Cheap to clone; clones are the same scope.
///
/// Cancelling asks (the tasks watch [`TaskScope::cancelled`]), aborting does not. Both reach all child scopes.
/// Dropping the last clone neither cancels nor aborts.
#[derive(Clone)]
pub struct TaskScope {
    inner: Arc<Inner>,
}

struct Inner {
    /// Names from the root down, joined by `/`.
    path: String,
    token: CancellationToken,
    runtime: Option<Handle>,
    parent: Option<(u64, TaskScope)>,
    state: Mutex<State>,
    idle: Notify,
}

#[derive(Default)]
struct State {
    aborted: bool,
    next_id: u64,
    tasks: BTreeMap<u64, Task>,
    children: BTreeMap<u64, Weak<Inner>>,
    /// Tasks of this scope and of all scopes below it that have not ended.
    live: usize,
}

struct Task {
    name: &'static str,
    /// Absent between registration and spawning.
    abort: Option<AbortHandle>,
}

impl TaskScope {
    /// A root scope; its tasks run on `runtime`, or without one on the runtime that `spawn` is called from.
    pub(crate) fn root(name: &str, runtime: Option<Handle>) -> TaskScope {
        TaskScope::build(name.to_owned(), CancellationToken::new(), runtime, None)
    }

    fn build(
        path: String,
        token: CancellationToken,
        runtime: Option<Handle>,
        parent: Option<(u64, TaskScope)>,
    ) -> TaskScope {
        let state = Mutex::new(State::default());
        let idle = Notify::new();
        TaskScope { inner: Arc::new(Inner { path, token, runtime, parent, state, idle }) }
    }

    /// A scope below this one: cancelled, aborted and joined with it.
    pub fn child(&self, name: &'static str) -> TaskScope {
        let id = {
            let mut state = self.inner.state.lock();
            state.next_id += 1;
            state.next_id
        };
        let path = format!("{}/{name}", self.inner.path);
        let token = self.inner.token.child_token();
        let runtime = self.inner.runtime.clone();
        let child = TaskScope::build(path, token, runtime, Some((id, self.clone())));
        let mut state = self.inner.state.lock();
        child.inner.state.lock().aborted = state.aborted;
        state.children.insert(id, Arc::downgrade(&child.inner));
        child
    }

    /// Starts a task. After [`TaskScope::abort_all`] it is aborted before it runs.
    ///
    /// Dropping the handle does not stop the task.
    ///
    /// # Panics
    /// When the environment was made outside a runtime and this is called outside one too.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = self.register(name);
        let guard = Registration { scope: self.clone(), id };
        let wrapped = async move {
            let _guard = guard;
            future.await
        };
        let runtime = match &self.inner.runtime {
            Some(runtime) => runtime.clone(),
            None => Handle::current(),
        };
        // The state is not locked here: a runtime that shuts down drops the future, and so the guard, at once.
        let join = runtime.spawn(wrapped);
        let aborted = {
            let mut state = self.inner.state.lock();
            if let Some(task) = state.tasks.get_mut(&id) {
                task.abort = Some(join.abort_handle());
            }
            state.aborted
        };
        if aborted {
            join.abort();
        }
        TaskHandle { name, join }
    }

    fn register(&self, name: &'static str) -> u64 {
        let id = {
            let mut state = self.inner.state.lock();
            state.next_id += 1;
            let id = state.next_id;
            state.tasks.insert(id, Task { name, abort: None });
            id
        };
        self.for_each_up(|inner| inner.state.lock().live += 1);
        id
    }

    fn for_each_up(&self, f: impl Fn(&Inner)) {
        let mut scope = Some(self);
        while let Some(current) = scope {
            f(&current.inner);
            scope = current.inner.parent.as_ref().map(|(_, parent)| parent);
        }
    }

    /// Names from the root down, joined by `/`.
    pub fn path(&self) -> &str {
        &self.inner.path
    }

    /// Completes once the scope, or one above it, is cancelled. Cancel safe.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.token.clone().cancelled_owned()
    }

    pub fn is_cancelled(&self) -> bool {
        self.inner.token.is_cancelled()
    }

    /// Asks all tasks here and below to end.
    pub fn cancel(&self) {
        self.inner.token.cancel();
    }

    /// Waits until no task of this scope or below is left. Cancel safe; never returns inside a task of the scope.
    pub async fn join(&self) {
        loop {
            let idle = self.inner.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.inner.state.lock().live == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Stops all tasks here and below at their next await, and every task that is spawned later.
    pub fn abort_all(&self) {
        let (handles, children) = {
            let mut state = self.inner.state.lock();
            state.aborted = true;
            let handles: Vec<_> = state.tasks.values().filter_map(|t| t.abort.clone()).collect();
            let children: Vec<_> = state.children.values().filter_map(Weak::upgrade).collect();
            (handles, children)
        };
        handles.iter().for_each(AbortHandle::abort);
        for inner in children {
            TaskScope { inner }.abort_all();
        }
        self.inner.token.cancel();
    }

    /// The tasks that have not ended, here and below, as paths: what a stuck shutdown waits for.
    pub fn running(&self) -> Vec<String> {
        let (mut names, children) = {
            let state = self.inner.state.lock();
            let path = &self.inner.path;
            let names: Vec<_> =
                state.tasks.values().map(|task| format!("{path}/{}", task.name)).collect();
            let children: Vec<_> = state.children.values().filter_map(Weak::upgrade).collect();
            (names, children)
        };
        for inner in children {
            names.extend(TaskScope { inner }.running());
        }
        names
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some((id, parent)) = &self.parent {
            parent.inner.state.lock().children.remove(id);
        }
    }
}

/// Takes the task off its scope's list when its future is dropped, however it ended.
struct Registration {
    scope: TaskScope,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.scope.inner.state.lock().tasks.remove(&self.id);
        self.scope.for_each_up(|inner| {
            let live = {
                let mut state = inner.state.lock();
                state.live -= 1;
                state.live
            };
            if live == 0 {
                inner.idle.notify_waiters();
            }
        });
    }
}

/// A running task: await it for its result.
#[derive(Debug)]
pub struct TaskHandle<R> {
    name: &'static str,
    join: JoinHandle<R>,
}

impl<R> TaskHandle<R> {
    /// Stops the task at its next await.
    pub fn abort(&self) {
        self.join.abort();
    }

    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }
}

impl<R> Future for TaskHandle<R> {
    type Output = Result<R, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let name = self.name;
        Pin::new(&mut self.join).poll(cx).map_err(|error| {
            if error.is_panic() {
                TaskError::Panicked { name }
            } else {
                TaskError::Aborted { name }
            }
        })
    }
}

/// Why a task has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    #[error("task {name} was aborted")]
    Aborted { name: &'static str },
    #[error("task {name} panicked")]
    Panicked { name: &'static str },
}

#[cfg(test)]
mod tests;
