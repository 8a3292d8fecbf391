//! `SyncThreads`: one thread per disk that syncs files and merges those who wait for the same one.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::file::RealFile;
use crate::error::{DiskError, duplicate};

/// Threads start with the first sync on their device and end when this is dropped and nothing is queued.
#[derive(Default)]
pub(crate) struct SyncThreads {
    by_device: Mutex<BTreeMap<u64, Arc<Queue>>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// Files in the order in which they were first asked for.
    order: VecDeque<u64>,
    /// Bounded by the files that exist, each with those who wait for it.
    waiting: BTreeMap<u64, Request>,
    closed: bool,
}

struct Request {
    file: Arc<RealFile>,
    waiters: Vec<oneshot::Sender<io::Result<()>>>,
}

impl SyncThreads {
    pub(crate) fn new() -> SyncThreads {
        SyncThreads::default()
    }

    /// See [`crate::Env::sync`].
    pub(crate) fn sync(&self, file: &Arc<RealFile>) -> oneshot::Receiver<io::Result<()>> {
        match self.queue(file.device()) {
            Ok(queue) => queue.push(file),
            Err(error) => {
                let (sender, receiver) = oneshot::channel();
                // The receiver is held here.
                let _ = sender.send(Err(DiskError::wrap("sync", &file.path(), error)));
                receiver
            }
        }
    }

    fn queue(&self, device: u64) -> io::Result<Arc<Queue>> {
        let mut by_device = self.by_device.lock();
        if let Some(queue) = by_device.get(&device) {
            return Ok(Arc::clone(queue));
        }
        let queue = Arc::new(Queue::default());
        let worker = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name(format!("sync-{device:x}"));
        thread.spawn(move || worker.work())?;
        by_device.insert(device, Arc::clone(&queue));
        Ok(queue)
    }
}

impl Drop for SyncThreads {
    fn drop(&mut self) {
        for queue in self.by_device.get_mut().values() {
            queue.state.lock().closed = true;
            queue.wake.notify_one();
        }
    }
}

impl Queue {
    fn push(&self, file: &Arc<RealFile>) -> oneshot::Receiver<io::Result<()>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        match state.waiting.get_mut(&file.id()) {
            Some(request) => request.waiters.push(sender),
            None => {
                let request = Request { file: Arc::clone(file), waiters: vec![sender] };
                state.waiting.insert(file.id(), request);
                state.order.push_back(file.id());
            }
        }
        drop(state);
        self.wake.notify_one();
        receiver
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(request) = state.pop() {
                drop(state);
                request.run();
                state = self.state.lock();
            } else if state.closed {
                return;
            } else {
                self.wake.wait(&mut state);
            }
        }
    }
}

impl State {
    /// Takes the request off the queue: whoever asks from now on needs another sync, as it may have written since.
    fn pop(&mut self) -> Option<Request> {
        let id = self.order.pop_front()?;
        self.waiting.remove(&id)
    }
}

impl Request {
    fn run(self) {
        let result = self.file.sync_blocking();
        for waiter in self.waiters {
            // A waiter may have gone.
            let _ = waiter.send(result.as_ref().map(|_| ()).map_err(duplicate));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Disk, Env, OpenMode, RealOptions};

    fn scratch() -> (tempfile::TempDir, Env, Disk) {
        let env = Env::real(RealOptions::default());
        let disk = env.disk().clone();
        (tempfile::tempdir().unwrap(), env, disk)
    }

    #[tokio::test]
    async fn files_are_synced_and_all_waiters_answered() {
        let (dir, env, disk) = scratch();
        let files: Vec<_> = (0..4)
            .map(|i| disk.open(&dir.path().join(i.to_string()), OpenMode::Create).unwrap())
            .collect();
        let mut waiting = Vec::new();
        for round in 0..10u64 {
            for file in &files {
                file.write_all_at(b"x", round).unwrap();
                waiting.push(env.sync(file));
            }
        }
        for sync in waiting {
            sync.await.unwrap();
        }
    }

    #[test]
    fn waiters_of_one_file_share_a_request_until_it_is_taken() {
        let (dir, _env, disk) = scratch();
        let open = |name| {
            let file = disk.open(&dir.path().join(name), OpenMode::Create).unwrap();
            Arc::clone(file.as_real().unwrap())
        };
        let (a, b) = (open("a"), open("b"));
        let queue = Queue::default();
        let waiting = [queue.push(&a), queue.push(&b), queue.push(&a)];
        let first = queue.state.lock().pop().unwrap();
        assert_eq!((first.file.id(), first.waiters.len()), (a.id(), 2));
        let late = queue.push(&a);
        first.run();
        let second = queue.state.lock().pop().unwrap();
        assert_eq!((second.file.id(), second.waiters.len()), (b.id(), 1));
        second.run();
        queue.state.lock().pop().unwrap().run();
        assert!(queue.state.lock().pop().is_none());
        for receiver in waiting.into_iter().chain([late]) {
            receiver.blocking_recv().unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn an_error_names_the_path_for_every_waiter() {
        let (dir, env, disk) = scratch();
        let path = dir.path().join("gone");
        let file = disk.open(&path, OpenMode::Create).unwrap();
        file.close_descriptor();
        disk.remove_file(&path).unwrap();
        let (first, second) = (env.sync(&file), env.sync(&file));
        for error in [first.await.unwrap_err(), second.await.unwrap_err()] {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
}
